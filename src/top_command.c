#include "top_command.h"

#include "top.h"
#include "top_url.h"

#define EXIT_OPERATOR 2

int
top_command(const struct settings *settings, struct report *report)
{
    char url[TOP_URL_BYTES];

    report_drop_warnings(report); /* they are about serving */
    if (settings_is_flag(settings, SETTING_ADMIN_TOKEN))
        report_add(report, "--admin-token: every user of the machine sees it; accepted by top: ADMIN_TOKEN "
                           "in the environment, or --admin-token-file");
    if (settings->top_url == NULL &&
        !top_url_of_listener(url, settings->admin_listen, settings->admin_host, (int)settings->admin_port))
        report_add(report, "%s: has no address to ask; accepted by top: an address, or a URL after top",
                   settings_place(settings, SETTING_ADMIN_LISTEN).text);
    if (!report_is_empty(report))
        return EXIT_OPERATOR;
    return top_run(&(struct top_options){.url = settings->top_url != NULL ? settings->top_url : url,
                                         .token = settings->admin_token},
                   report);
}
