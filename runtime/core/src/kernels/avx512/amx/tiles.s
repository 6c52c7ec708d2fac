# Adds the products of a part of a group with sixteen rows of inputs to their sums, by AMX.
#
# Enter: rdi a `Part`, as Rust lays it out, and tiles shaped as `Shapes` says. In play: rax the
# inputs of two blocks, rcx the bytes from one row's scales to the next (an eighth of what lies
# between rows of inputs), rdx three times as many, rsi the blocks of weights, r8 the bytes of a
# row of a tile, r9 the pairs of blocks still to multiply, r10, r11, rbx and r12 the scales of rows 0, 4, 8 and 12.
# zmm0 to zmm15 are the rows' sums. On the stack: two tiles of dot products.
#
# The tile unit and the vector unit share what issues instructions, but not their delays. So the
# dot products of a block are made, those of the block before are stored, and those of the one
# before that are scaled and added.

    .pushsection .text.tealight_amx, "ax", @progbits

    .set INPUTS, 0
    .set INPUT_SCALES, 8
    .set SCALE_STRIDE, 16
    .set WEIGHTS, 24
    .set BLOCKS, 32
    .set SUMS, 40

    .set BLOCK_INPUTS, 32
    .set BLOCK_SCALE, 4
    .set BLOCK_WEIGHTS, 576
    .set WEIGHT_SCALES, 512
    .set TILE, 1024

# The dot products of a block, counted from where the pointers stand.
    .macro multiply dots, inputs, weights, block
    tilezero \dots
    tileloadd \inputs, [rax + 8*rcx + BLOCK_INPUTS*\block]
    tileloadd \weights, [rsi + 1*r8 + BLOCK_WEIGHTS*\block]
    tdpbssd \dots, \inputs, \weights
    .endm

    .macro keep dots, place
    tilestored [rsp + 1*r8 + TILE*\place], \dots
    .endm

# sum = fma(weight_scales * input_scale, dots, sum) of one row.
    .macro add_row row, scale, place
    vmulps zmm30, zmm31, dword ptr [\scale]{1to16}
    vcvtdq2ps zmm29, zmmword ptr [rsp + TILE*\place + 64*\row]
    vfmadd231ps zmm\row, zmm30, zmm29
    .endm

# The dot products in a place, of the block whose weights are at \block and whose inputs' scales
# at \scale, both counted from where the pointers stand.
    .macro accumulate place, block, scale
    vmovaps zmm31, zmmword ptr [rsi + BLOCK_WEIGHTS*\block + WEIGHT_SCALES]
    add_row 0, "r10 + BLOCK_SCALE*\scale", \place
    add_row 1, "r10 + rcx + BLOCK_SCALE*\scale", \place
    add_row 2, "r10 + 2*rcx + BLOCK_SCALE*\scale", \place
    add_row 3, "r10 + rdx + BLOCK_SCALE*\scale", \place
    add_row 4, "r11 + BLOCK_SCALE*\scale", \place
    add_row 5, "r11 + rcx + BLOCK_SCALE*\scale", \place
    add_row 6, "r11 + 2*rcx + BLOCK_SCALE*\scale", \place
    add_row 7, "r11 + rdx + BLOCK_SCALE*\scale", \place
    add_row 8, "rbx + BLOCK_SCALE*\scale", \place
    add_row 9, "rbx + rcx + BLOCK_SCALE*\scale", \place
    add_row 10, "rbx + 2*rcx + BLOCK_SCALE*\scale", \place
    add_row 11, "rbx + rdx + BLOCK_SCALE*\scale", \place
    add_row 12, "r12 + BLOCK_SCALE*\scale", \place
    add_row 13, "r12 + rcx + BLOCK_SCALE*\scale", \place
    add_row 14, "r12 + 2*rcx + BLOCK_SCALE*\scale", \place
    add_row 15, "r12 + rdx + BLOCK_SCALE*\scale", \place
    .endm

# The scales of inputs stand two blocks behind the inputs and weights.
    .macro next_scales
    add r10, 2*BLOCK_SCALE
    add r11, 2*BLOCK_SCALE
    add rbx, 2*BLOCK_SCALE
    add r12, 2*BLOCK_SCALE
    .endm

    .globl tealight_amx_add
    .type tealight_amx_add, @function
tealight_amx_add:
    push rbp
    mov rbp, rsp
    push rbx
    push r12
    sub rsp, 2*TILE
    and rsp, -64

    mov rax, [rdi + SUMS]
    .irp row, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovaps zmm\row, zmmword ptr [rax + 64*\row]
    .endr
    mov rax, [rdi + INPUTS]
    mov r10, [rdi + INPUT_SCALES]
    mov rcx, [rdi + SCALE_STRIDE]
    lea rdx, [rcx + 2*rcx]
    lea r11, [r10 + 4*rcx]
    lea rbx, [r11 + 4*rcx]
    lea r12, [rbx + 4*rcx]
    mov rsi, [rdi + WEIGHTS]
    mov r8d, 64
    mov r9, [rdi + BLOCKS]
    shr r9
    jz 5f

    multiply tmm0, tmm2, tmm4, 0
    multiply tmm1, tmm3, tmm5, 1
    keep tmm0, 0
    jmp 3f
2:
    multiply tmm0, tmm2, tmm4, 0
    keep tmm1, 1
    accumulate 0, -2, 0
    multiply tmm1, tmm3, tmm5, 1
    keep tmm0, 0
    accumulate 1, -1, 1
    next_scales
3:
    add rax, 2*BLOCK_INPUTS
    add rsi, 2*BLOCK_WEIGHTS
    dec r9
    jnz 2b

    keep tmm1, 1
    accumulate 0, -2, 0
    accumulate 1, -1, 1
    next_scales
5:
    test byte ptr [rdi + BLOCKS], 1
    jz 6f
    multiply tmm0, tmm2, tmm4, 0
    keep tmm0, 0
    accumulate 0, 0, 0
6:
    mov rax, [rdi + SUMS]
    .irp row, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovaps zmmword ptr [rax + 64*\row], zmm\row
    .endr
    vzeroupper
    mov r12, [rbp - 16]
    mov rbx, [rbp - 8]
    leave
    ret
    .size tealight_amx_add, . - tealight_amx_add

    .popsection
