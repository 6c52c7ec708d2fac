@ Products of one block of sixteen rows with 32 inputs, by NEON.
@
@ Enter: r0 the block's codes, r1 the inputs, r2 room for sixteen sums. A quarter is four rows,
@ sixteen bytes of each chunk; its sums are in two registers, rows 0 and 1, and rows 2 and 3.

    .pushsection .text.tealight_neon, "ax", %progbits
    .syntax unified
    .arch armv7-a
    .fpu neon-vfpv4
    .arm

@ Adds a quarter's nibbles: d0 holds four inputs twice, d1 the next four; q1 is 15 everywhere.
@ Sums in 16 bits hold a block: 8 x 15 x 127 = 15,240, and so does the sum of two.
    .macro int4_quarter low, high
    vld1.8 {d4, d5}, [r0]!
    vand q3, q2, q1
    vshr.u8 q2, q2, #4
    vmlal.s8 \low, d6, d0
    vmlal.s8 \high, d7, d0
    vmlal.s8 \low, d4, d1
    vmlal.s8 \high, d5, d1
    .endm

    .macro int4_sums a, b, c, d
    vpadd.i16 d0, \a, \b
    vpadd.i16 d1, \c, \d
    vpaddl.s16 q0, q0
    vst1.32 {d0, d1}, [r2]!
    .endm

    .globl tealight_neon_int4
    .hidden tealight_neon_int4
    .type tealight_neon_int4, %function
    .p2align 4
tealight_neon_int4:
    vmov.i8 q1, #15
    vmov.i32 q8, #0
    vmov.i32 q9, #0
    vmov.i32 q10, #0
    vmov.i32 q11, #0
    vmov.i32 q12, #0
    vmov.i32 q13, #0
    vmov.i32 q14, #0
    vmov.i32 q15, #0
    .rept 4
    vld1.32 {d0[]}, [r1]!
    vld1.32 {d1[]}, [r1]!
    int4_quarter q8, q9
    int4_quarter q10, q11
    int4_quarter q12, q13
    int4_quarter q14, q15
    .endr
    int4_sums d16, d17, d18, d19
    int4_sums d20, d21, d22, d23
    int4_sums d24, d25, d26, d27
    int4_sums d28, d29, d30, d31
    bx lr
    .size tealight_neon_int4, . - tealight_neon_int4

@ Adds a quarter's bytes less 128, of a chunk at r0 and the next one at r3; q1 is 128 everywhere.
@ Two products fit 16 bits: 2 x 128 x 127 = 32,512. Sums are in 32 bits, two lanes a row.
    .macro int8_quarter low, high
    vld1.8 {d4, d5}, [r0]!
    vld1.8 {d6, d7}, [r3]!
    veor q2, q2, q1
    veor q3, q3, q1
    vmull.s8 q4, d4, d0
    vmull.s8 q5, d5, d0
    vmlal.s8 q4, d6, d1
    vmlal.s8 q5, d7, d1
    vpadal.s16 \low, q4
    vpadal.s16 \high, q5
    .endm

    .macro int8_sums a, b, c, d
    vpadd.i32 d0, \a, \b
    vpadd.i32 d1, \c, \d
    vst1.32 {d0, d1}, [r2]!
    .endm

    .globl tealight_neon_int8
    .hidden tealight_neon_int8
    .type tealight_neon_int8, %function
    .p2align 4
tealight_neon_int8:
    vpush {d8-d11}
    vmov.i8 q1, #128
    vmov.i32 q8, #0
    vmov.i32 q9, #0
    vmov.i32 q10, #0
    vmov.i32 q11, #0
    vmov.i32 q12, #0
    vmov.i32 q13, #0
    vmov.i32 q14, #0
    vmov.i32 q15, #0
    .rept 4
    add r3, r0, #64
    vld1.32 {d0[]}, [r1]!
    vld1.32 {d1[]}, [r1]!
    int8_quarter q8, q9
    int8_quarter q10, q11
    int8_quarter q12, q13
    int8_quarter q14, q15
    mov r0, r3
    .endr
    int8_sums d16, d17, d18, d19
    int8_sums d20, d21, d22, d23
    int8_sums d24, d25, d26, d27
    int8_sums d28, d29, d30, d31
    vpop {d8-d11}
    bx lr
    .size tealight_neon_int8, . - tealight_neon_int8

    .popsection
