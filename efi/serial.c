/*
 * serial.c: Serial I/O protocols, which stay their drivers' own: we only write. UEFI specification,
 * section 12.8.
 *
 * The same port is often a console of firmware's as well (a terminal driver above it). That is why
 * nothing but these bytes may be printed while we run: screen.c stays away from such consoles.
 */
#include "efi/serial.h"

#include "efi/firmware.h"

#define TIMEOUTS_MAX 4u
#define PORTS_MAX    8u

static SERIAL_IO_INTERFACE *ports[PORTS_MAX];
static size_t port_count;

void serial_start(void)
{
    static const EFI_GUID serial_guid = EFI_SERIAL_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    size_t count = firmware_handles(&serial_guid, &handles);
    for (size_t i = 0; i < count && port_count < PORTS_MAX; i++) {
        ports[port_count] = firmware_protocol(handles[i], &serial_guid);
        if (ports[port_count])
            port_count++;
    }
    pool_free(handles);
}

void serial_end(void)
{
    port_count = 0;
}

/*
 * Out: false when the port took nothing any more. Nobody at the other end looks like a busy one at
 * first, so a port gets a few of its own time-outs (a second each) before it is given up.
 */
static bool port_write(SERIAL_IO_INTERFACE *port, char *bytes, size_t length)
{
    unsigned patience = TIMEOUTS_MAX;
    while (length > 0) {
        UINTN taken = length;
        EFI_STATUS status = port->Write(port, &taken, bytes);
        if (EFI_ERROR(status) && (status != EFI_TIMEOUT || taken > length))
            return false;
        if (taken == 0 && patience-- == 0)
            return false;
        bytes += taken;
        length -= taken;
    }
    return true;
}

static void ports_write(char *bytes, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < port_count; i++)
        if (port_write(ports[i], bytes, length))
            ports[kept++] = ports[i];
    port_count = kept;
}

void serial_write(const char *bytes, size_t length)
{
    char line[512];
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n')
            line[used++] = '\r';
        line[used++] = bytes[i];
        if (used + 2 > sizeof(line) || i + 1 == length) {
            ports_write(line, used);
            used = 0;
        }
    }
}
