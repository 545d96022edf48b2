/*
 * reports.c: see reports.h. The manual for users is docs/report.md.
 */
#include "efi/reports.h"

#define FOLDER      L"\\faultline"
#define PATH_LENGTH 40

static const struct {
    enum session_stream stream;
    CHAR16 *name;
} report_names[] = {
    {STREAM_TAP,      L"\\report.tap"  },
    {STREAM_XML,      L"\\report.xml"  },
    {STREAM_JSON,     L"\\report.json" },
    {STREAM_BASELINE, L"\\baseline.txt"},
};

static struct report {
    EFI_FILE_HANDLE file; /* NULL: not made yet, or given up */
    bool given_up;
} reports[ARRAY_COUNT(report_names)];
static uint16_t report_number;
static enum save_problem first_problem;

uint16_t reports_next_number(void)
{
    uint16_t highest = volume_highest_number(FOLDER);
    return highest < UINT16_MAX ? (uint16_t)(highest + 1) : 0;
}

void reports_start(uint16_t number, enum save_problem problem)
{
    report_number = number;
    first_problem = problem == SAVE_OK && number == 0 ? SAVE_FAILED : problem;
    for (size_t i = 0; i < ARRAY_COUNT(reports); i++)
        reports[i] = (struct report){.given_up = first_problem != SAVE_OK};
}

static CHAR16 *append(CHAR16 *to, const CHAR16 *text)
{
    while (*text)
        *to++ = *text++;
    *to = 0;
    return to;
}

/* \faultline\NNNN into @path. Out: its end. */
static CHAR16 *folder_path(CHAR16 *path)
{
    CHAR16 digits[6] = {0};
    size_t first = 5;
    for (uint32_t rest = report_number; rest || first > 1; rest /= 10)
        digits[--first] = (CHAR16)(L'0' + rest % 10);
    return append(append(append(path, FOLDER), L"\\"), digits + first);
}

static enum save_problem report_create(size_t index)
{
    CHAR16 path[PATH_LENGTH];
    CHAR16 *end = folder_path(path);
    enum save_problem problem = volume_make_folder(FOLDER);
    if (problem == SAVE_OK)
        problem = volume_make_folder(path);
    (void)append(end, report_names[index].name);
    return problem == SAVE_OK ? volume_create(path, &reports[index].file) : problem;
}

/* @problem befell @report: keep what it has, and write no more of it. */
static void give_up(struct report *report, enum save_problem problem)
{
    if (first_problem == SAVE_OK)
        first_problem = problem;
    report->given_up = true;
    if (report->file)
        (void)report->file->Close(
            report->file); /* which flushes; if that fails too it is said already */
    report->file = NULL;
}

void reports_write(enum session_stream stream, const void *bytes, size_t length)
{
    for (size_t i = 0; i < ARRAY_COUNT(reports); i++) {
        struct report *report = &reports[i];
        if (report_names[i].stream != stream || report->given_up || length == 0)
            continue;
        enum save_problem problem = report->file ? SAVE_OK : report_create(i);
        if (problem == SAVE_OK)
            problem = volume_write(report->file, bytes, length);
        if (problem != SAVE_OK)
            give_up(report, problem);
    }
}

void reports_flush(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(reports); i++)
        if (reports[i].file) {
            enum save_problem problem = volume_problem(reports[i].file->Flush(reports[i].file));
            if (problem != SAVE_OK)
                give_up(&reports[i], problem);
        }
}

void reports_end(void)
{
    reports_flush();
    for (size_t i = 0; i < ARRAY_COUNT(reports); i++) {
        if (reports[i].file)
            (void)reports[i].file->Close(reports[i].file);
        reports[i].file = NULL;
    }
}

enum save_problem reports_problem(void)
{
    return first_problem;
}
