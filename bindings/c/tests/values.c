/* What needs no manager: versions, codes, ids, texts, errors, states. */
#include "fixture.h"

static void versions(void) {
    CHECK_OK(TASKMGR_CHECK_VERSION());
    CHECK(taskmgr_version() == TASKMGR_VERSION);
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", TASKMGR_VERSION_MAJOR, TASKMGR_VERSION_MINOR,
             TASKMGR_VERSION_PATCH);
    CHECK_TEXT(text, taskmgr_version_text());
    CHECK_ERROR(TASKMGR_VERSION_MISMATCH, "version 0.1.1",
                taskmgr_check_version(0, TASKMGR_VERSION_MINOR, TASKMGR_VERSION_PATCH + 1));
    CHECK_ERROR(TASKMGR_VERSION_MISMATCH, "no older", taskmgr_check_version(0, 2, 0));
    CHECK_ERROR(TASKMGR_VERSION_MISMATCH, "major version 1", taskmgr_check_version(1, 0, 0));
}

static void names(void) {
    CHECK_TEXT("ok", taskmgr_code_name(TASKMGR_OK));
    CHECK_TEXT("not_started", taskmgr_code_name(TASKMGR_NOT_STARTED));
    CHECK_TEXT("panic", taskmgr_code_name(TASKMGR_PANIC));
    CHECK_TEXT("unknown", taskmgr_code_name(-7));
    CHECK_TEXT("suspended", taskmgr_state_name(TASKMGR_STATE_SUSPENDED));
    CHECK_TEXT("unknown", taskmgr_state_name(99));
    CHECK(taskmgr_state_is_terminal(TASKMGR_STATE_DONE));
    CHECK(taskmgr_state_is_terminal(TASKMGR_STATE_FAILED));
    CHECK(!taskmgr_state_is_terminal(TASKMGR_STATE_RUNNING));
    CHECK(!taskmgr_state_is_terminal(99));
    CHECK_TEXT("cluster", taskmgr_kind_name(TASKMGR_KIND_CLUSTER));
    CHECK_TEXT("unknown", taskmgr_kind_name(0));
    CHECK_TEXT("drained", taskmgr_gone_reason_name(TASKMGR_GONE_DRAINED));
    CHECK_TEXT("evicted", taskmgr_gone_reason_name(TASKMGR_GONE_EVICTED));
    CHECK_TEXT("unknown", taskmgr_gone_reason_name(-1));
}

static void ids(void) {
    const char *text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    taskmgr_id id;
    CHECK_OK(taskmgr_id_parse(TASKMGR_STR(text), &id));
    CHECK(id.bytes[0] == 0x67 && id.bytes[15] == 0xc8);
    char buffer[TASKMGR_ID_TEXT];
    CHECK(taskmgr_id_format(id, buffer) == buffer);
    CHECK(strcmp(buffer, text) == 0);
    CHECK_VALUE_ERROR(taskmgr_id_format(id, NULL) == NULL);

    taskmgr_id same;
    CHECK_OK(taskmgr_id_parse(TASKMGR_STR("67E5504410B1426F9247BB680E5FE0C8"), &same));
    CHECK(taskmgr_id_equal(id, same));
    CHECK(!taskmgr_id_equal(id, TASKMGR_ID_NIL));
    CHECK(taskmgr_id_is_nil(TASKMGR_ID_NIL));
    CHECK(!taskmgr_id_is_nil(id));
    CHECK(!taskmgr_id_is_nil(taskmgr_id_random()));
    CHECK(!taskmgr_id_equal(taskmgr_id_random(), taskmgr_id_random()));

    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "is no id", taskmgr_id_parse(TASKMGR_STR("7"), &id));
    CHECK(taskmgr_id_is_nil(id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "is no id", taskmgr_id_parse(TASKMGR_NO_STR, &id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "null", taskmgr_id_parse(TASKMGR_STR(text), NULL));
}

static void texts(void) {
    taskmgr_id id;
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "not UTF-8", taskmgr_id_parse(TASKMGR_STR("\xff"), &id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "null pointer of length 3",
                taskmgr_id_parse(TASKMGR_STR_N(NULL, 3), &id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "TASKMGR_NO_STR",
                taskmgr_id_parse(TASKMGR_STR(NULL), &id));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "TASKMGR_NUL",
                taskmgr_id_parse(TASKMGR_STR_N("7", SIZE_MAX - 1), &id));
    /* What is behind the length is not looked at. */
    CHECK_OK(taskmgr_id_parse(TASKMGR_STR_N("67e55044-10b1-426f-9247-bb680e5fe0c8\xff", 36), &id));
}

static void *error_of_its_own(void *unused) {
    (void)unused;
    CHECK(taskmgr_last_error_code() == TASKMGR_OK);
    CHECK(strcmp(taskmgr_last_error(), "") == 0);
    /* Whoever reads up to a NUL reads all, and never nothing. */
    CHECK_ERROR(TASKMGR_TIMEOUT, "a\\0b",
                taskmgr_set_error(TASKMGR_TIMEOUT, (taskmgr_str){"a\0b", 3}));
    CHECK_ERROR(TASKMGR_PROVIDER, "no message was given",
                taskmgr_set_error(TASKMGR_PROVIDER, TASKMGR_NO_STR));
    CHECK_CODE(TASKMGR_TIMEOUT, taskmgr_set_error(TASKMGR_TIMEOUT, TASKMGR_STR("late")));
    CHECK(strcmp(taskmgr_last_error(), "late") == 0);
    return NULL;
}

static void errors(void) {
    taskmgr_clear_error();
    CHECK(taskmgr_last_error_code() == TASKMGR_OK);
    CHECK(strcmp(taskmgr_last_error(), "") == 0);
    CHECK(taskmgr_id_is_nil(taskmgr_last_error_id()));
    CHECK(taskmgr_last_error_gone_reason() == 0);
    CHECK(taskmgr_last_error_final_state() == 0);

    CHECK_ERROR(TASKMGR_PROVIDER, "is away",
                taskmgr_set_error(TASKMGR_PROVIDER, TASKMGR_STR("the coordinator is away")));
    /* A call that does not fail leaves it; each thread has its own. */
    CHECK_OK(TASKMGR_CHECK_VERSION());
    join_thread(run_thread(error_of_its_own, NULL));
    CHECK(strcmp(taskmgr_last_error(), "the coordinator is away") == 0);
    CHECK(taskmgr_last_error_code() == TASKMGR_PROVIDER);

    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "0 is no code",
                taskmgr_set_error(TASKMGR_OK, TASKMGR_STR("fine")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "100 is no code",
                taskmgr_set_error(TASKMGR_PANIC, TASKMGR_STR("no")));
    CHECK_ERROR(TASKMGR_INVALID_ARGUMENT, "not UTF-8",
                taskmgr_set_error(TASKMGR_PROVIDER, TASKMGR_STR("\xc3")));
    taskmgr_clear_error();
    CHECK(taskmgr_last_error_code() == TASKMGR_OK);
}

int main(void) {
    versions();
    names();
    ids();
    texts();
    errors();
    return 0;
}
