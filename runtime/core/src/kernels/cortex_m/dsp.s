@ Sums of sixteen rows over all blocks of a group, by the DSP extension and single-precision VFP.
@
@ Enter: r0 a `Group`, as Rust lays it out. In play: r0 the block's codes, r2 to r9 eight pairs of
@ inputs in 16 bits each, r10 the mask of two nibbles, r11 four bytes of a row, r12 two of its
@ values, lr the row's sum; r1 the inputs, then what a row's sum begins with. s16 to s31 are the
@ rows' results, s3 is the inputs' scale. On the stack: the rows' sums after half a block, then
@ what is kept from block to block.
@
@ A block takes two halves, because the pairs of a whole one would fill all registers.

    .pushsection .text.tealight_dsp, "ax", %progbits
    .syntax unified
    .arch armv7e-m
    .fpu fpv4-sp-d16
    .thumb

    .equ CODES, 0
    .equ INPUTS, 4
    .equ SCALES, 8
    .equ SUMS, 12
    .equ BLOCKS, 16
    .equ RESULTS, 20

    .equ KEPT_INPUTS, 64
    .equ KEPT_SCALES, 68
    .equ KEPT_SUMS, 72
    .equ KEPT_BLOCKS, 76
    .equ KEPT_GROUP, 80
    .equ FRAME, 88

@ Four inputs at r1 become two pairs: of the first and third, of the second and fourth.
    .macro pairs even, odd
    ldr r11, [r1], #4
    sxtb16 \even, r11
    sxtb16 \odd, r11, ror #8
    .endm

@ lr = \begin + a chunk's eight nibbles of a row · inputs. The low ones belong to inputs 0 to 3,
@ the high ones to 4 to 7.
    .macro nibbles at, a, b, c, d, begin
    ldr r11, [r0, #\at]
    and r12, r10, r11
    smlad lr, r12, \a, \begin
    and r12, r10, r11, lsr #8
    smlad lr, r12, \b, lr
    and r12, r10, r11, lsr #4
    smlad lr, r12, \c, lr
    and r12, r10, r11, lsr #12
    smlad lr, r12, \d, lr
    .endm

@ lr = \begin + a chunk's four bytes of a row · inputs.
    .macro bytes at, a, b, begin
    ldr r11, [r0, #\at]
    uxtb16 r12, r11
    smlad lr, r12, \a, \begin
    uxtb16 r12, r11, ror #8
    smlad lr, r12, \b, lr
    .endm

    .macro int4_first row
    nibbles 4*\row, r2, r3, r4, r5, r1
    nibbles 64+4*\row, r6, r7, r8, r9, lr
    str lr, [sp, #4*\row]
    .endm

    .macro int8_first row
    bytes 4*\row, r2, r3, r1
    bytes 64+4*\row, r4, r5, lr
    bytes 128+4*\row, r6, r7, lr
    bytes 192+4*\row, r8, r9, lr
    str lr, [sp, #4*\row]
    .endm

    .macro int4_second row
    ldr lr, [sp, #4*\row]
    nibbles 128+4*\row, r2, r3, r4, r5, lr
    nibbles 192+4*\row, r6, r7, r8, r9, lr
    .endm

    .macro int8_second row
    ldr lr, [sp, #4*\row]
    bytes 256+4*\row, r2, r3, lr
    bytes 320+4*\row, r4, r5, lr
    bytes 384+4*\row, r6, r7, lr
    bytes 448+4*\row, r8, r9, lr
    .endm

@ result = fma(weight scale · input scale, sum, result)
    .macro add_to result, half
    vmov s0, lr
    vcvt.f32.s32 s0, s0
    \half s2, s1
    vmul.f32 s2, s2, s3
    vfma.f32 \result, s2, s0
    .endm

@ Two rows' second halves; their scales lie in one word.
    .macro two_rows width, row, next, scales, result, next_result
    \width\()_second \row
    vldr s1, [r0, #\scales+2*\row]
    add_to \result, vcvtb.f32.f16
    \width\()_second \next
    add_to \next_result, vcvtt.f32.f16
    .endm

    .macro group width, codes, sums_shift
    push {r4-r11, lr}
    vpush {s16-s31}
    sub sp, sp, #FRAME
    str r0, [sp, #KEPT_GROUP]
    ldr r1, [r0, #RESULTS]
    vldmia r1, {s16-s31}
    ldr r1, [r0, #BLOCKS]
    str r1, [sp, #KEPT_BLOCKS]
    ldr r1, [r0, #SCALES]
    str r1, [sp, #KEPT_SCALES]
    ldr r1, [r0, #SUMS]
    str r1, [sp, #KEPT_SUMS]
    ldr r1, [r0, #INPUTS]
    ldr r0, [r0, #CODES]
    mov r10, #0x000f000f
1:
    pairs r2, r3
    pairs r4, r5
    pairs r6, r7
    pairs r8, r9
    str r1, [sp, #KEPT_INPUTS]
    ldr r11, [sp, #KEPT_SUMS]
    ldr r1, [r11], #4
    str r11, [sp, #KEPT_SUMS]
    lsl r1, r1, #\sums_shift
    .irp row, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    \width\()_first \row
    .endr
    ldr r1, [sp, #KEPT_INPUTS]
    pairs r2, r3
    pairs r4, r5
    pairs r6, r7
    pairs r8, r9
    ldr r11, [sp, #KEPT_SCALES]
    vldr s3, [r11]
    add r11, r11, #4
    str r11, [sp, #KEPT_SCALES]
    two_rows \width, 0, 1, \codes, s16, s17
    two_rows \width, 2, 3, \codes, s18, s19
    two_rows \width, 4, 5, \codes, s20, s21
    two_rows \width, 6, 7, \codes, s22, s23
    two_rows \width, 8, 9, \codes, s24, s25
    two_rows \width, 10, 11, \codes, s26, s27
    two_rows \width, 12, 13, \codes, s28, s29
    two_rows \width, 14, 15, \codes, s30, s31
    add r0, r0, #\codes+32
    ldr r11, [sp, #KEPT_BLOCKS]
    subs r11, r11, #1
    str r11, [sp, #KEPT_BLOCKS]
    bne.w 1b
    ldr r1, [sp, #KEPT_GROUP]
    ldr r1, [r1, #RESULTS]
    vstmia r1, {s16-s31}
    add sp, sp, #FRAME
    vpop {s16-s31}
    pop {r4-r11, pc}
    .endm

    .globl tealight_dsp_int4
    .hidden tealight_dsp_int4
    .thumb_func
    .type tealight_dsp_int4, %function
    .p2align 2
tealight_dsp_int4:
    group int4, 256, 0
    .size tealight_dsp_int4, . - tealight_dsp_int4

@ The zero point is 128, sixteen times that of int4.
    .globl tealight_dsp_int8
    .hidden tealight_dsp_int8
    .thumb_func
    .type tealight_dsp_int8, %function
    .p2align 2
tealight_dsp_int8:
    group int8, 512, 4
    .size tealight_dsp_int8, . - tealight_dsp_int8

    .popsection
