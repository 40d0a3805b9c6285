#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dotenv.h"

/* A file, and what is read from it: "NAME=[value]" for an entry, "!mistake" for a malformed line; each with
   the number of its line. */
static const struct {
    const char *text, *read;
} files[] = {
    {"", ""},
    {"A=1", "1 A=[1]\n"},
    {"A=1\nB=2\n", "1 A=[1]\n2 B=[2]\n"},
    {"A=1\r\nB=\r\n", "1 A=[1]\n2 B=[]\n"},
    {"\xef\xbb\xbf"
     "A=1\n",
     "1 A=[1]\n"},
    {"\n  \t\n# A=1\n  # A=2\nA=3", "5 A=[3]\n"},

    {" \t A \t = \t 1 \t ", "1 A=[1]\n"},
    {"export A=1\nexport\tB=2\nexport   C = 3\n", "1 A=[1]\n2 B=[2]\n3 C=[3]\n"},
    {"export=1\nexportA=2\n", "1 export=[1]\n2 exportA=[2]\n"},
    {"a.b-c_9=1\n_=2\n", "1 a.b-c_9=[1]\n2 _=[2]\n"},

    {"A=one two\n", "1 A=[one two]\n"},
    {"A=one # two\n", "1 A=[one]\n"},
    {"A=one\t# two\n", "1 A=[one]\n"},
    {"A=one#two\n", "1 A=[one#two]\n"},
    {"A=#one\n", "1 A=[#one]\n"},
    {"A= # one\n", "1 A=[]\n"},
    {"A= #one # two\n", "1 A=[]\n"},
    {"A=one=two\n", "1 A=[one=two]\n"},
    {"A=it's \"so\" \\n $HOME ${HOME}\n", "1 A=[it's \"so\" \\n $HOME ${HOME}]\n"},

    {"A='one # two'\n", "1 A=[one # two]\n"},
    {"A=' \\n \\' # c\n", "1 A=[ \\n \\]\n"},
    {"A='\"$B\"' \n", "1 A=[\"$B\"]\n"},
    {"A=''\n", "1 A=[]\n"},

    {"A=\"one # two\"\n", "1 A=[one # two]\n"},
    {"A=\"a\\nb\\\"c\\\\d\\$e\"\n", "1 A=[a\nb\"c\\d$e]\n"},
    {"A=\"\\t \\x \\'\"\n", "1 A=[\\t \\x \\']\n"},
    {"A=\"\\\\\"\n", "1 A=[\\]\n"},
    {"A=\"$B ${C}\" # c\n", "1 A=[$B ${C}]\n"},
    {"A=\"\"", "1 A=[]\n"},
    {"A=\" 1 \" \r\n", "1 A=[ 1 ]\n"},

    {"A\nB=1\n", "1 !not of the form NAME=value\n2 B=[1]\n"},
    {"=1\n", "1 !not of the form NAME=value\n"},
    {"1A=1\n", "1 !not of the form NAME=value\n"},
    {"A B=1\n", "1 !not of the form NAME=value\n"},
    {"A$=1\n", "1 !not of the form NAME=value\n"},
    {"export\n", "1 !not of the form NAME=value\n"},
    {"export =1\n", "1 !not of the form NAME=value\n"},
    {"export export A=1\n", "1 !not of the form NAME=value\n"},
    {"A='1\nB=2'\n", "1 !unterminated single quote\n2 B=[2']\n"},
    {"A=\"1\nB=2\n", "1 !unterminated double quote\n2 B=[2]\n"},
    {"A=\"1\\\"\n", "1 !unterminated double quote\n"},
    {"A=\"\\", "1 !unterminated double quote\n"},
    {"A='1'2\n", "1 !text after the closing quote\n"},
    {"A=\"1\"#2\n", "1 !text after the closing quote\n"},
    {"A=\"1\" 2\n", "1 !text after the closing quote\n"},
};

/* What is read, as the table above writes it. The caller frees it. The text is at the end of its memory,
   so that a sanitizer sees a read after it. */
static char *
read_back(const char *text, size_t bytes)
{
    struct dotenv dotenv;
    struct dotenv_entry entry;
    enum dotenv_status status;
    char *copy = malloc(bytes + 1), *read;
    size_t read_bytes;
    FILE *out = open_memstream(&read, &read_bytes);

    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    dotenv_init(&dotenv, copy, bytes);
    while ((status = dotenv_next(&dotenv, &entry)) != DOTENV_END) {
        if (status == DOTENV_ENTRY)
            fprintf(out, "%u %s=[%s]\n", dotenv.line, entry.name, entry.value);
        else
            fprintf(out, "%u !%s\n", dotenv.line, entry.reason);
    }
    fclose(out);
    free(copy);
    return read;
}

START_TEST(lines_are_parsed)
{
    char *read = read_back(files[_i].text, strlen(files[_i].text));

    ck_assert_msg(strcmp(read, files[_i].read) == 0, "\"%s\" was read as\n%sinstead of\n%s", files[_i].text,
                  read, files[_i].read);
    free(read);
}
END_TEST

START_TEST(a_zero_byte_is_malformed)
{
    static const char text[] = "A=1\0 2\nB=3\n";
    char *read = read_back(text, sizeof(text) - 1);

    ck_assert_str_eq(read, "1 !holds a zero byte\n2 B=[3]\n");
    free(read);
}
END_TEST

/* Values, and how they are written so that they are read back as they were. */
static const struct {
    const char *value, *written;
} values[] = {
    {"", ""},
    {"8000", "8000"},
    {"redis://user:***@[::1]:6379/0?a=b&c", "redis://user:***@[::1]:6379/0?a=b&c"},
    {"127.0.0.0/8,::1", "127.0.0.0/8,::1"},
    {"a b", "\"a b\""},
    {" a", "\" a\""},
    {"#", "\"#\""},
    {"'", "\"'\""},
    {"\"", "\"\\\"\""},
    {"\\n", "\"\\\\n\""},
    {"\n", "\"\\n\""},
    {"$A\t\r", "\"\\$A\t\r\""},
    {"\xc3\xa4", "\xc3\xa4"},
};

START_TEST(a_written_value_is_read_back)
{
    char *text;
    char expected[64];
    size_t bytes, written;
    FILE *out = open_memstream(&text, &bytes);

    written = dotenv_write_value(out, values[_i].value);
    fclose(out);
    ck_assert_str_eq(text, values[_i].written);
    ck_assert_uint_eq(written, bytes);
    free(text);

    out = open_memstream(&text, &bytes);
    fputs("A=", out);
    dotenv_write_value(out, values[_i].value);
    fclose(out);
    snprintf(expected, sizeof(expected), "1 A=[%s]\n", values[_i].value);
    char *read = read_back(text, bytes);
    ck_assert_str_eq(read, expected);
    free(read);
    free(text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("dotenv");
    TCase *reading = tcase_create("reading");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(reading, lines_are_parsed, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(reading, a_zero_byte_is_malformed);
    tcase_add_loop_test(reading, a_written_value_is_read_back, 0, sizeof(values) / sizeof(values[0]));
    suite_add_tcase(suite, reading);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
