@ Where a program for ARMv6 begins, in place of the C compiler's own start files: Debian's hold
@ ARMv7 code, which a Pi Zero does not run.
@
@ Enters, from the loader: argc at the stack's top with argv after it, and in r0 the function
@ that glibc is to call at exit. glibc runs `main` and never returns; since 2.34 it runs the
@ constructors itself, so that it is given none.

    .arch   armv6
    .fpu    vfp
    .syntax unified
    .arm
    .text
    .globl  _start
    .type   _start, %function
_start:
    mov     fp, #0              @ the outermost frame
    mov     lr, #0
    pop     {r1}                @ argc
    mov     r2, sp              @ argv
    push    {r2}                @ the stack's end
    push    {r0}                @ at exit
    mov     r3, #0              @ no constructors
    push    {r3}                @ no destructors
    ldr     r0, main_from_here
here:
    add     r0, pc, r0
    bl      __libc_start_main
    bl      abort
main_from_here:
    .word   main - (here + 8)
    .size   _start, . - _start

@ Names this program where destructors are registered; programs have nothing to say there.
    .data
    .globl  __dso_handle
    .hidden __dso_handle
    .type   __dso_handle, %object
__dso_handle:
    .word   0
    .size   __dso_handle, 4

    .section .note.GNU-stack, "", %progbits
