/*
 * uname and clock_gettime. What they say differs from machine to machine; what kind of thing it is does not.
 */
#include "tests/programs/library/program.h"

static bool ends_in_field(const char field[65])
{
    for (unsigned i = 0; i < 65; i++) {
        if (!field[i])
            return true;
    }
    return false;
}

static bool later(const struct time_value *one, const struct time_value *other)
{
    return other->seconds > one->seconds ||
           (other->seconds == one->seconds && other->fraction >= one->fraction);
}

static void look_at_clock(const char *name, int clock)
{
    struct time_value first = {-1, -1};
    struct time_value now;
    bool monotonic = true;
    bool in_range = true;
    bool moved = false;

    say("%s: %s", name, result_text(sys_clock_gettime(clock, &first)));
    struct time_value before = first;
    for (unsigned i = 0; i < 2000 && !(moved && i > 100); i++) {
        sys_clock_gettime(clock, &now);
        monotonic &= later(&before, &now);
        in_range &= now.fraction >= 0 && now.fraction < 1000000000 && now.seconds >= 0;
        moved |= now.seconds != first.seconds || now.fraction != first.fraction;
        before = now;
    }
    say("  never goes back: %s", monotonic ? "yes" : "no");
    say("  seconds and nanoseconds in range: %s", in_range ? "yes" : "no");
    say("  goes on: %s", moved ? "yes" : "no");
}

int program(const struct program_start *start)
{
    static struct system_name name;
    struct time_value time;

    (void)start;
    say("uname: %s", result_text(sys_uname(&name)));
    say("system %s", name.system);
    say("machine %s", name.machine);
    say("release begins with a digit: %s",
        name.release[0] >= '0' && name.release[0] <= '9' ? "yes" : "no");
    say("version begins with #: %s", name.version[0] == '#' ? "yes" : "no");
    say("node is there: %s", name.node[0] ? "yes" : "no");
    say("domain is there: %s", name.domain[0] ? "yes" : "no");
    say("all end within their fields: %s",
        ends_in_field(name.system) && ends_in_field(name.node) && ends_in_field(name.release) &&
                ends_in_field(name.version) && ends_in_field(name.machine) &&
                ends_in_field(name.domain)
            ? "yes"
            : "no");
    say("uname into no page: %s", result_text(sys_uname((struct system_name *)8)));
    say("uname into the kernel's half: %s",
        result_text(sys_uname((struct system_name *)0xffff888000000000)));

    look_at_clock("CLOCK_MONOTONIC", CLOCK_MONOTONIC);
    look_at_clock("CLOCK_REALTIME", CLOCK_REALTIME);
    say("a clock that there is not: %s", result_text(sys_clock_gettime(4711, &time)));
    say("into no page: %s",
        result_text(sys_clock_gettime(CLOCK_MONOTONIC, (struct time_value *)8)));
    say("a clock that there is not, into no page: %s",
        result_text(sys_clock_gettime(4711, (struct time_value *)8)));
    return 0;
}
