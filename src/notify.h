/*
 * notify: tells the service manager how far the service is, by the protocol of sd_notify(3) and without its library.
 *
 * Under systemd's Type=notify, what depends on the service is started after READY=1, and the time that it takes to end
 * is counted from STOPPING=1. Where nobody asked, which is where NOTIFY_SOCKET is not set, nothing happens.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Lines of NAME=value, such as "READY=1\nSTATUS=serves on %s". That it could not be sent is logged and nothing else: a
   manager that hears nothing has rules of its own. Waits for it no longer than a second. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
