#include "call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "check_reader.h"
#include "decision_json.h"
#include "envoy.h"
#include "exchange.h"
#include "questions.h"
#include "upload.h"

struct call {
    struct exchange_context *context;
    enum endpoint endpoint;
    void (*callback)(void *arg);
    void *arg;
    bool closing;
    struct questions *questions; /* NULL: the body is not read yet */
    struct upload body;
};

static const struct body_place root_place = {0};

bool
call_is_for(enum endpoint endpoint)
{
    return endpoint == ENDPOINT_API_CHECK || endpoint == ENDPOINT_API_BATCH ||
           endpoint == ENDPOINT_API_RESET || endpoint == ENDPOINT_ENVOY;
}

struct call *
call_new(struct exchange_context *context, const struct address *peer, enum endpoint endpoint, bool closing,
         void (*callback)(void *arg), void *arg)
{
    struct call *call = malloc(sizeof(*call));

    if (call == NULL)
        return NULL;
    call->context = context;
    call->endpoint = endpoint;
    call->callback = callback;
    call->arg = arg;
    call->closing = closing;
    call->questions = NULL;
    upload_init(&call->body, &context->uploads, peer);
    return call;
}

static bool
closes(const struct call *call)
{
    return call->closing || call->context->draining;
}

void
call_keep(struct call *call, const char *bytes, size_t count)
{
    upload_put(&call->body, bytes, count);
}

/* Reading: the tree to questions. NULL with a mistake (status 0: memory is out). */

static struct questions *
read_one(const struct call *call, const struct questions_asker *asker, const cJSON *root,
         struct body_mistake *mistake)
{
    bool is_reset = call->endpoint == ENDPOINT_API_RESET;
    struct questions *questions = questions_new(asker, 1);

    if (questions == NULL)
        return NULL;
    questions->is_reset = is_reset;
    check_read(call->context->policy, root, &root_place, !is_reset, &questions->list[0]);
    if (is_reset && questions->list[0].take.rule == NULL && questions->list[0].mistake.status == 0)
        body_mistake(&questions->list[0].mistake, &root_place, 404,
                     "is matched by no rule, so nothing is counted for it", "path");
    if (questions->list[0].mistake.status == 0)
        return questions;
    *mistake = questions->list[0].mistake;
    questions_free(questions);
    return NULL;
}

static struct questions *
read_batch(const struct call *call, const struct questions_asker *asker, const cJSON *root,
           struct body_mistake *mistake)
{
    const cJSON *list = check_read_list(root, mistake), *object;
    struct body_place place = {.list = "checks"};
    struct questions *questions;

    if (list == NULL)
        return NULL;
    questions = questions_new(asker, (uint32_t)cJSON_GetArraySize(list));
    if (questions == NULL)
        return NULL;
    cJSON_ArrayForEach(object, list)
    {
        check_read(call->context->policy, object, &place, true, &questions->list[place.index]);
        place.index++;
    }
    return questions;
}

static void
on_answered(struct questions *questions)
{
    struct call *call = questions->asker.arg;

    call->callback(call->arg);
}

static struct questions *
read_body(struct call *call, const cJSON *root, struct body_mistake *mistake)
{
    struct questions_asker asker = {.limiter = call->context->limiter, .callback = on_answered, .arg = call};
    struct questions *questions;

    if (call->endpoint == ENDPOINT_ENVOY)
        questions = envoy_read(call->context->policy, &asker, root, call->body.bytes, mistake);
    else if (call->endpoint == ENDPOINT_API_BATCH)
        questions = read_batch(call, &asker, root, mistake);
    else
        questions = read_one(call, &asker, root, mistake);
    return questions;
}

/* Asking. */

static struct answer
answer_mistake(const struct call *call, const struct body_mistake *mistake)
{
    char sentence[BODY_SENTENCE_BYTES];

    if (mistake->status == 0)
        return (struct answer){0};
    body_sentence(mistake, sentence);
    return answer_problem(mistake->status, mistake->field[0] != '\0' ? mistake->field : NULL, sentence,
                          closes(call));
}

enum call_status
call_ask(struct call *call, struct answer *answer)
{
    struct body_mistake mistake = {0};
    cJSON *root;

    if (call->body.refused) {
        *answer = answer_problem(503, NULL, "Too many requests with bodies are under way.", closes(call));
        answer_header(answer, "Retry-After", "1");
        return CALL_MISTAKE;
    }
    root = body_parse(upload_text(&call->body), call->body.bytes, &mistake);
    if (root != NULL)
        call->questions = read_body(call, root, &mistake);
    cJSON_Delete(root);
    upload_clear(&call->body);
    if (call->questions == NULL) {
        *answer = answer_mistake(call, &mistake);
        return CALL_MISTAKE;
    }
    return questions_ask(call->questions) == LIMITER_DONE ? CALL_DONE : CALL_PENDING;
}

/* Telling. */

static bool
is_any_unavailable(const struct questions *questions)
{
    for (uint32_t i = 0; i < questions->count; i++)
        if (questions->list[i].take.verdict == VERDICT_UNAVAILABLE)
            return true;
    return false;
}

static struct answer
answer_reset(const struct call *call)
{
    char buffer[256];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    text_put(&text, "{\"reset\": true, \"rule\": \"%s\"}\n", call->questions->list[0].take.rule->name);
    return answer_new(200, &text, ANSWER_JSON, closes(call));
}

/* One element of a batch's results: what /v1/check would have answered, and with which status. */
static void
put_result(struct text *text, const struct question *question)
{
    const struct limiter_take *take = &question->take;
    char sentence[BODY_SENTENCE_BYTES];

    if (question->mistake.status != 0) {
        body_sentence(&question->mistake, sentence);
        text_put(text, "{\"status\": %u, \"detail\": \"%s\", \"field\": \"%s\"}", question->mistake.status,
                 sentence, question->mistake.field);
    } else if (take->verdict == VERDICT_UNAVAILABLE) {
        text_put(text, "{\"status\": 503, \"detail\": \"" RENDER_UNAVAILABLE "\"}");
    } else {
        text_put(text, "{\"status\": %u, ", take->verdict == VERDICT_ALLOWED ? 200 : 429);
        decision_json_put(text, take);
        text_put(text, "}");
    }
}

static size_t
results_bytes(const struct questions *questions)
{
    size_t bytes = 64;

    for (uint32_t i = 0; i < questions->count; i++) {
        const struct question *question = &questions->list[i];
        uint32_t limits = question->take.rule != NULL ? question->take.rule->limit_count : 0;
        bytes += question->mistake.status != 0 ? 256 + BODY_SENTENCE_BYTES : 64 + DECISION_JSON_BYTES(limits);
    }
    return bytes;
}

static struct answer
answer_batch(const struct call *call)
{
    const struct questions *questions = call->questions;
    struct text text = {.room = results_bytes(questions)};

    text.start = malloc(text.room);
    if (text.start == NULL)
        return (struct answer){0};
    text_put(&text, "{\"results\": [");
    for (uint32_t i = 0; i < questions->count; i++) {
        text_put(&text, i > 0 ? ",\n" : "\n");
        put_result(&text, &questions->list[i]);
    }
    text_put(&text, "\n]}\n");
    return answer_owning(200, &text, ANSWER_JSON, closes(call));
}

struct answer
call_answer(const struct call *call)
{
    bool closing = closes(call);

    if (call->endpoint == ENDPOINT_API_BATCH)
        return answer_batch(call);
    if (call->endpoint == ENDPOINT_API_CHECK)
        return render_check(call->context->renderer, &call->questions->list[0].take, closing);
    if (is_any_unavailable(call->questions))
        return render_unavailable(closing);
    if (call->endpoint == ENDPOINT_API_RESET)
        return answer_reset(call);
    assert(call->endpoint == ENDPOINT_ENVOY);
    return envoy_answer(call->questions, closing);
}

void
call_free(struct call *call)
{
    if (call == NULL)
        return;
    upload_clear(&call->body);
    questions_free(call->questions);
    free(call);
}
