@ Sums of sixteen rows over all blocks of a group with one or two rows of inputs, by Helium.
@
@ Enter: r0 a `Group`, as Rust lays it out. In play: q2 where a row's four words of codes lie, r1
@ the block's scales, q3 the mask of a code, q0 and q1 the first row of inputs, q6 and q7 the
@ second, q4 and q5 a row's codes; r0, r2, r4, r6 the sums of four rows with the first row of
@ inputs, r8, r10, r12, lr with the second. r5 and r7 are the first inputs' scale and what a sum
@ begins with, r9 and r11 the second's; r3 the results. On the stack: where inputs, scales and sums
@ end, and how far the block is from there.
@
@ A row's codes lie in words that are a chunk apart, so each is gathered by one load and multiplied
@ by all its inputs at once; four rows' sums then become a vector.

    .pushsection .text.tealight_helium, "ax", %progbits
    .syntax unified
    .arch armv8.1-m.main
    .arch_extension mve.fp
    .thumb

    .equ HELIUM_CODES, 0
    .equ HELIUM_ENDS, 4
    .equ HELIUM_BLOCKS, 28
    .equ HELIUM_RESULTS, 32

    .equ LEFT, 0
    .equ INPUTS_END, 4
    .equ SCALES_END, 8
    .equ SUMS_END, 12
    .equ SECOND_INPUTS_END, 16
    .equ SECOND_SCALES_END, 20
    .equ SECOND_SUMS_END, 24
    .equ HELIUM_FRAME, 32

@ Loads a block of a row of inputs, which is eight times as long as a scale.
    .macro int4_inputs first, second, end
    ldr r2, [sp, #\end]
    add r2, r2, r0, lsl #3
    vld20.32 {\first, \second}, [r2]
    vld21.32 {\first, \second}, [r2]
    .endm

    .macro int8_inputs first, second, end
    ldr r2, [sp, #\end]
    add r2, r2, r0, lsl #3
    vldrb.u8 \first, [r2]
    vldrb.u8 \second, [r2, #16]
    .endm

@ The sums of one row. Low nibbles belong to inputs 0 to 3 of eight, high ones to 4 to 7.
    .macro int4_row at, rows, one, other
    vldrw.u32 q4, [q2, #\at]
    vand q5, q4, q3
    vshr.u8 q4, q4, #4
    vmladav.s8 \one, q0, q5
    vmladava.s8 \one, q1, q4
    .if \rows == 2
    vmladav.s8 \other, q6, q5
    vmladava.s8 \other, q7, q4
    .endif
    .endm

@ Bytes become signed by taking 128.
    .macro int8_row at, rows, one, other
    vldrw.u32 q4, [q2, #\at]
    vldrw.u32 q5, [q2, #256+\at]
    veor q4, q4, q3
    veor q5, q5, q3
    vmladav.s8 \one, q0, q4
    vmladava.s8 \one, q1, q5
    .if \rows == 2
    vmladav.s8 \other, q6, q4
    vmladava.s8 \other, q7, q5
    .endif
    .endm

@ Takes the zero points from the sums in q4; `begin` is -8 times the sum of the inputs.
    .macro int4_middle begin, four
    vadd.i32 q4, q4, \begin
    .endm

    .macro int8_middle begin, four
    .endm

    .macro int4_stored begin, four
    asr r0, \begin, #3
    vldrb.u32 q5, [r1, #32+4*\four]
    vmla.i32 q4, q5, r0
    .endm

    .macro int8_stored begin, four
    asr r0, \begin, #3
    mov r2, #128
    vldrb.u32 q5, [r1, #32+4*\four]
    vsub.i32 q5, q5, r2
    vmla.i32 q4, q5, r0
    .endm

@ results += scales · sums, for four rows with one row of inputs; q6 holds the weights' scales.
    .macro finish width, zero_points, four, at, a, b, c, d, scale, begin
    vmov q4[2], q4[0], \a, \c
    vmov q4[3], q4[1], \b, \d
    \width\()_\zero_points \begin, \four
    vcvt.f32.s32 q4, q4
    vmul.f32 q5, q6, \scale
    vldrw.u32 q7, [r3, #\at+16*\four]
    vfma.f32 q7, q5, q4
    vstrw.32 q7, [r3, #\at+16*\four]
    .endm

@ Four rows of a block. What they need beyond their codes takes the place of the second inputs,
@ which come again for the next four.
    .macro four_rows width, zero_points, rows, four
    \width\()_row 16*\four, \rows, r0, r8
    \width\()_row 16*\four+4, \rows, r2, r10
    \width\()_row 16*\four+8, \rows, r4, r12
    \width\()_row 16*\four+12, \rows, r6, lr
    vldrh.u32 q6, [r1, #8*\four]
    vcvtb.f32.f16 q6, q6
    finish \width, \zero_points, \four, 0, r0, r2, r4, r6, r5, r7
    .if \rows == 2
    finish \width, \zero_points, \four, 64, r8, r10, r12, lr, r9, r11
    .endif
    ldr r0, [sp, #LEFT]
    .if \rows == 2 && \four < 3
    \width\()_inputs q6, q7, SECOND_INPUTS_END
    .endif
    .endm

    .macro helium_group name, width, zero_points, rows, codes, block, mask
    .globl \name
    .hidden \name
    .thumb_func
    .type \name, %function
    .p2align 2
\name:
    push {r4-r12, lr}
    vpush {d8-d15}
    sub sp, sp, #HELIUM_FRAME
    add r1, r0, #HELIUM_ENDS
    ldm r1, {r4-r9}
    add r1, sp, #INPUTS_END
    stm r1, {r4-r9}
    ldr r3, [r0, #HELIUM_RESULTS]
    ldr r2, [r0, #HELIUM_BLOCKS]
    ldr r4, [r0, #HELIUM_CODES]
    rsb r0, r2, #0
    lsl r0, r0, #2
    str r0, [sp, #LEFT]
    add r1, r4, #\codes
    add r5, r4, #64
    add r6, r4, #128
    add r7, r4, #192
    vmov q2[2], q2[0], r4, r6
    vmov q2[3], q2[1], r5, r7
    vmov.i8 q3, #\mask
1:
    \width\()_inputs q0, q1, INPUTS_END
    ldr r2, [sp, #SCALES_END]
    ldr r5, [r2, r0]
    ldr r2, [sp, #SUMS_END]
    ldr r7, [r2, r0]
    .if \rows == 2
    \width\()_inputs q6, q7, SECOND_INPUTS_END
    ldr r2, [sp, #SECOND_SCALES_END]
    ldr r9, [r2, r0]
    ldr r2, [sp, #SECOND_SUMS_END]
    ldr r11, [r2, r0]
    .endif
    four_rows \width, \zero_points, \rows, 0
    four_rows \width, \zero_points, \rows, 1
    four_rows \width, \zero_points, \rows, 2
    four_rows \width, \zero_points, \rows, 3
    mov r2, #\block
    add r1, r1, r2
    vadd.i32 q2, q2, r2
    adds r0, r0, #4
    str r0, [sp, #LEFT]
    bne.w 1b
    add sp, sp, #HELIUM_FRAME
    vpop {d8-d15}
    pop {r4-r12, pc}
    .size \name, . - \name
    .endm

    helium_group tealight_helium_int4, int4, middle, 1, 256, 288, 15
    helium_group tealight_helium_int4_two, int4, middle, 2, 256, 288, 15
    helium_group tealight_helium_int4_stored, int4, stored, 1, 256, 304, 15
    helium_group tealight_helium_int4_stored_two, int4, stored, 2, 256, 304, 15
    helium_group tealight_helium_int8, int8, middle, 1, 512, 544, 128
    helium_group tealight_helium_int8_two, int8, middle, 2, 512, 544, 128
    helium_group tealight_helium_int8_stored, int8, stored, 1, 512, 560, 128
    helium_group tealight_helium_int8_stored_two, int8, stored, 2, 512, 560, 128

    .popsection
