#include "raw_answer.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "response.h"

#define RAW_BYTES 1024

static void
put_date(struct text *text)
{
    time_t now = time(NULL);
    struct tm utc;
    char date[32];

    /* Names of days and months in English: the program never leaves the C locale. */
    if (gmtime_r(&now, &utc) != NULL && strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc) > 0)
        text_put(text, "Date: %s\r\n", date);
}

static void
put_body(struct text *text, const struct raw_answer *answer)
{
    char problem[RAW_BYTES / 2] = "";
    struct text body = {.start = problem, .room = sizeof(problem)};

    if (answer->detail != NULL) {
        response_put_problem(
            &body, &(struct problem){.status = answer->status,
                                     .detail = answer->detail,
                                     .trace_id = {answer->trace_id.text, strlen(answer->trace_id.text)}});
        text_put(text, "Content-Type: " RESPONSE_PROBLEM "\r\n");
    }
    text_put(text, "Content-Length: %zu\r\n\r\n%s", body.used, answer->head ? "" : problem);
}

bool
raw_answer_send(const struct raw_answer *answer, int fd)
{
    char buffer[RAW_BYTES];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    if (answer->status == 0)
        return false;
    text_put(&text, "HTTP/1.1 %u %s\r\n", answer->status, response_title(answer->status));
    put_date(&text);
    if (answer->retry_after_s > 0)
        text_put(&text, "Retry-After: %u\r\n", answer->retry_after_s);
    text_put(&text, "Connection: close\r\n");
    put_body(&text, answer);
    return send(fd, buffer, text.used, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.used;
}
