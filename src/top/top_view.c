#include "top_view.h"

#include <string.h>

#define KEY_ESCAPE    '\033'
#define KEY_BACKSPACE '\b'
#define KEY_DELETE    '\177' /* what most keyboards send for Backspace */
#define KEY_KILL      '\025' /* Control-U */

const char *const top_windows[TOP_WINDOWS] = {"minute", "hour", "day"};
const char *const top_measures[TOP_MEASURES] = {"refusals", "requests", "cost"};

const struct top_key top_keys[] = {
    {"q", "quit"},
    {"s, S", "sort the rules by the next, the previous column"},
    {"/", "filter rules by a part of their name; Enter ends, Escape clears it"},
    {"b", "sort the clients by refusals, requests or cost"},
    {"w", "clients of the last minute, hour or day"},
    {"p, space", "pause, and go on"},
    {"h, ?", "this help"},
    {NULL, NULL},
};

struct top_view
top_view_of_start(void)
{
    return (struct top_view){.order = ORDER_REFUSED};
}

static bool
is_of_name(char key)
{
    const char name[] = {key, '\0'};

    return rule_name_is_good(name);
}

static enum top_action
type(struct top_view *view, char key)
{
    size_t used = strlen(view->filter);

    if (key == KEY_ESCAPE || key == KEY_KILL)
        view->filter[0] = '\0';
    else if ((key == KEY_BACKSPACE || key == KEY_DELETE) && used > 0)
        view->filter[used - 1] = '\0';
    else if (is_of_name(key) && used < RULE_NAME_BYTES)
        memcpy(view->filter + used, (const char[]){key, '\0'}, 2);
    view->is_typing = key != KEY_ESCAPE && key != '\r' && key != '\n';
    return TOP_ASK;
}

static enum top_action
command(struct top_view *view, char key)
{
    switch (key) {
    case 'q':
        return TOP_QUIT;
    case 's':
        view->order = (view->order + 1) % ORDER_COUNT;
        return TOP_DRAW;
    case 'S':
        view->order = (view->order + ORDER_COUNT - 1) % ORDER_COUNT;
        return TOP_DRAW;
    case '/':
        view->is_typing = true;
        return TOP_DRAW;
    case KEY_ESCAPE:
        view->filter[0] = '\0';
        return TOP_ASK;
    case 'b':
        view->measure = (view->measure + 1) % TOP_MEASURES;
        return TOP_ASK;
    case 'w':
        view->window = (view->window + 1) % TOP_WINDOWS;
        return TOP_ASK;
    case 'p':
    case ' ':
        view->is_paused = !view->is_paused;
        return view->is_paused ? TOP_DRAW : TOP_ASK;
    case 'h':
    case '?':
        view->shows_help = !view->shows_help;
        return TOP_DRAW;
    default:
        return TOP_NOTHING;
    }
}

/* An arrow is ESC [ A: such sequences (ECMA-48) end with a byte from @ to ~. */
static bool
is_within_escape(struct top_view *view, char key)
{
    if (view->escape == ESCAPE_BEGUN && (key == '[' || key == 'O')) {
        view->escape = ESCAPE_INSIDE;
        return true;
    }
    if (view->escape == ESCAPE_INSIDE) {
        if (key >= '@' && key <= '~')
            view->escape = ESCAPE_NONE;
        return true;
    }
    view->escape = ESCAPE_NONE;
    return false;
}

static enum top_action
take_key(struct top_view *view, char key)
{
    if (view->shows_help && key != 'q') {
        view->shows_help = false;
        return TOP_DRAW;
    }
    return view->is_typing ? type(view, key) : command(view, key);
}

/* A terminal sends the sequence of a key at once: an ESC that nothing follows is the key Escape. */
enum top_action
top_view_take_keys(struct top_view *view, const char *bytes, size_t count)
{
    enum top_action action = TOP_NOTHING, next;

    for (size_t i = 0; i < count && action != TOP_QUIT; i++) {
        if (is_within_escape(view, bytes[i]))
            continue;
        if (bytes[i] == KEY_ESCAPE && i + 1 < count) {
            view->escape = ESCAPE_BEGUN;
            continue;
        }
        next = take_key(view, bytes[i]);
        if (next > action)
            action = next;
    }
    return action;
}
