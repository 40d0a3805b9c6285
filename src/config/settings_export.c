/*
 * The table of settings in other formats. The docs, the man page and the completion are generated from it or
 * tested against it, so they cannot differ from the binary.
 */
#include <string.h>

#include "settings_table.h"

void
settings_help_markdown(FILE *out)
{
    fputs("| setting | flag | default | accepted | meaning |\n"
          "| --- | --- | --- | --- | --- |\n",
          out);
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        const char *tick = setting->fallback[0] == '\0' ? "" : "`";

        fprintf(out, "| `%s` | `%s` | %s%s%s | %s | %s |\n", setting->name, setting->flag, tick,
                setting->fallback, tick, setting_accepted(id).text, setting->help);
    }
}

/* Escaped for roff: no line begins a request, no hyphen is soft. Text in `backticks` is bold. */
static void
write_roff(FILE *out, const char *text)
{
    bool bold = false;

    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++)
        if (*text == '`') {
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", out);
        } else if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else {
            fputc(*text, out);
        }
}

static void
write_man_setting(FILE *out, enum setting_id id)
{
    const struct setting *setting = &settings_table[id];

    fprintf(out, ".It Fl %s Ar %s , Ev %s\n", setting->flag + 1, setting->placeholder, setting->name);
    write_roff(out, setting->help);
    fputs(".\nAccepted: ", out);
    write_roff(out, setting_accepted(id).text);
    if (setting->fallback[0] != '\0') {
        fputs("; default: ", out);
        write_roff(out, setting->fallback);
    }
    fputs(".\n", out);
}

void
settings_help_man(FILE *out)
{
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        if (setting_group(id))
            fprintf(out, "%s.Ss %s\n.Bl -tag -width Ds\n", id == 0 ? "" : ".El\n", setting_group(id));
        write_man_setting(out, id);
    }
    fputs(".El\n", out);
}

void
settings_help_completion(FILE *out)
{
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];

        fprintf(out, "%s %s", setting->flag, setting->placeholder);
        for (size_t i = 0; i < setting->word_count; i++)
            fprintf(out, " %s", setting->words[i]);
        fputc('\n', out);
    }
    for (size_t i = 0; i < SETTINGS_SWITCH_COUNT; i++)
        fprintf(out, "%s%s%s\n", settings_switches[i].flag, settings_switches[i].placeholder ? " " : "",
                settings_switches[i].placeholder ? settings_switches[i].placeholder : "");
    for (size_t i = 0; i < SETTINGS_WORD_COUNT; i++)
        fprintf(out, "%s\n", settings_words[i].flag);
}
