/*
 * notify: reports the state of the service to the service manager, by the protocol of sd_notify(3), without
 * its library.
 *
 * Under systemd's Type=notify, units that depend on the service start after READY=1, and its stop timeout
 * runs from STOPPING=1. Without NOTIFY_SOCKET nothing happens.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Lines of NAME=value, such as "READY=1\nSTATUS=serves on %s". A failure is only logged: the manager has its
   own timeouts. Waits for the manager for a second at most. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
