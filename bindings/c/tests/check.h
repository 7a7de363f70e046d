/* What all C tests use: each check that fails says where, and ends the program. */
#ifndef TASKMGR_TESTS_CHECK_H
#define TASKMGR_TESTS_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <taskmgr.h>

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);      \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* The call returns this code; another is told with its message. */
#define CHECK_CODE(wanted, call) check_code(__FILE__, __LINE__, #call, (wanted), (call))
#define CHECK_OK(call) CHECK_CODE(TASKMGR_OK, call)

/* The call fails so, and the last error says the same with this in its message. */
#define CHECK_ERROR(wanted, words, call)                                                   \
    do {                                                                                   \
        taskmgr_clear_error();                                                             \
        CHECK_CODE(wanted, call);                                                          \
        check_last_error(__FILE__, __LINE__, (wanted), (words));                           \
    } while (0)

/* The call, which returns a value and no code, has set the last error. */
#define CHECK_VALUE_ERROR(condition)                                                       \
    do {                                                                                   \
        taskmgr_clear_error();                                                             \
        CHECK(condition);                                                                  \
        check_last_error(__FILE__, __LINE__, TASKMGR_INVALID_ARGUMENT, "");                \
    } while (0)

#define CHECK_TEXT(wanted, text) check_text(__FILE__, __LINE__, (wanted), (text))

static inline void check_code(const char *file, int line, const char *call, taskmgr_code wanted,
                              taskmgr_code code) {
    if (code != wanted) {
        fprintf(stderr, "%s:%d: %s returned %s and not %s; the last error is: %s\n", file, line,
                call, taskmgr_code_name(code).data, taskmgr_code_name(wanted).data,
                taskmgr_last_error());
        exit(1);
    }
}

static inline void check_last_error(const char *file, int line, taskmgr_code wanted,
                                    const char *words) {
    if (taskmgr_last_error_code() != wanted || strstr(taskmgr_last_error(), words) == NULL) {
        fprintf(stderr, "%s:%d: the last error is %s: \"%s\"; wanted %s with \"%s\"\n", file, line,
                taskmgr_code_name(taskmgr_last_error_code()).data, taskmgr_last_error(),
                taskmgr_code_name(wanted).data, words);
        exit(1);
    }
}

/* Text out has its length and a NUL. */
static inline void check_text(const char *file, int line, const char *wanted, taskmgr_str text) {
    if (text.data == NULL || strlen(wanted) != text.len || memcmp(wanted, text.data, text.len) != 0 ||
        text.data[text.len] != '\0') {
        fprintf(stderr, "%s:%d: the text is \"%s\" of length %zu and not \"%s\"\n", file, line,
                text.data == NULL ? "(null)" : text.data, text.len, wanted);
        exit(1);
    }
}

#endif
