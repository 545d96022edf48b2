/*
 * options.c: the option grammar of docs/options.md, the same for all three carriers. Pure.
 */
#include "options.h"

bool glob_match(const char *glob, const char *id)
{
    const char *star = NULL;   /* the last '*' that was met ... */
    const char *resume = NULL; /* ... and where the text after its run starts */

    while (*id) {
        if (*glob == '*') {
            star = glob++;
            resume = id;
        } else if (*glob == '?' || *glob == *id) {
            glob++;
            id++;
        } else if (star) {
            /* An earlier '*' need never be tried again: what it matched can only be moved right. */
            glob = star + 1;
            id = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}
