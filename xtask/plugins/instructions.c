/* A plugin for qemu that counts executed instructions of the emulated processor:

       cc -shared -fPIC -o instructions.so instructions.c
       qemu-aarch64 -plugin ./instructions.so PROGRAM

   At the program's end it prints `INSTRUCTIONS n` on standard error.

   Declared by hand, because not every system packs qemu's header. The interface is the one of
   qemu 4.2 to 8.1; later ones count per processor and refuse this version. */

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t plugin_id;
struct translated_block;

extern void qemu_plugin_register_vcpu_tb_trans_cb(
    plugin_id, void (*)(plugin_id, struct translated_block *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(
    struct translated_block *, int operation, void *counter, uint64_t amount);
extern size_t qemu_plugin_tb_n_insns(const struct translated_block *);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

#define EXPORTED __attribute__((visibility("default")))

enum { ADD = 0 };

EXPORTED int qemu_plugin_version = 1;

/* One counter for all threads: exact for programs that compute on one. */
static uint64_t executed;

static void on_translated(plugin_id id, struct translated_block *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD, &executed, qemu_plugin_tb_n_insns(block));
}

static void on_exit_of_program(plugin_id id, void *unused)
{
    (void)id;
    (void)unused;
    fprintf(stderr, "INSTRUCTIONS %" PRIu64 "\n", executed);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *about_qemu, int count, char **arguments)
{
    (void)about_qemu;
    (void)count;
    (void)arguments;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    qemu_plugin_register_atexit_cb(id, on_exit_of_program, NULL);
    return 0;
}
