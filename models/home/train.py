"""Trains the model, in stages:

    python train.py --out A --frames train --synonyms train              without the held-out tenth: measure the held-out sets on this one
    python train.py --out B --start A --steps … --peak 0.012 --seed 2    goes on with all frames and synonyms

A last stage goes on from B in the same way; README.md has the exact commands of the shipped model.

Examples are generated as they are needed, never twice the same, from the seed. The loss is taken on the answer's tokens. In the second
part of a stage weights are rounded as the export will round them, in the last also activations.
"""

import argparse
import json
import os
import random
import shutil
import time

import torch
import torch.distributed
import torch.multiprocessing
import torch.nn.functional as F
from tokenizers import Tokenizer

import data
import tokenizer as tok
from grammar.expand import Split
from model import Config, Home
from optimizer import Muon

CHUNK = 8192


def batches(codec, seed, split, size):
    """Endless batches of (ids, mask of the positions that predict an answer token, those tokens), of near-equal lengths."""
    rng = random.Random(seed)
    while True:
        pairs = data.examples(rng.getrandbits(48), CHUNK, split)
        prompts = codec.prompts([request for request, _ in pairs])
        rows = [(p, codec.answer(a)) for p, (_, a) in zip(prompts, pairs) if len(p) <= 100]
        rows.sort(key=lambda row: len(row[0]) + rng.random() * 2)
        starts = list(range(0, len(rows) - size + 1, size))
        rng.shuffle(starts)
        for start in starts:
            yield collate(rows[start:start + size])


def collate(rows):
    width = max(len(p) + len(a) for p, a in rows) - 1
    ids = torch.full((len(rows), width), tok.PAD_ID)
    wanted = torch.zeros((len(rows), width), dtype=torch.bool)
    targets = []
    for i, (prompt, answer) in enumerate(rows):
        line = prompt + answer[:-1]
        ids[i, :len(line)] = torch.tensor(line)
        wanted[i, len(prompt) - 1:len(line)] = True
        targets += answer
    return ids, wanted, torch.tensor(targets)


def rate(step, steps, peak):
    """Warm up, hold, then fall linearly to a fiftieth."""
    warm, hold = min(200, steps // 10), int(steps * 0.35)
    if step < warm:
        return peak * (step + 1) / warm
    if step < hold:
        return peak
    return peak * max(0.02, 1 - (step - hold) / (steps - hold))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--out", required=True)
    options.add_argument("--start", help="folder of an earlier stage: its tokenizer and weights are the start, weights are rounded from the first step")
    options.add_argument("--steps", type=int, default=1800)
    options.add_argument("--batch", type=int, default=96, help="examples a worker and step")
    options.add_argument("--peak", type=float, default=0.02)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--frames", default="all")
    options.add_argument("--synonyms", default="all")
    options.add_argument("--workers", type=int, default=2)
    args = options.parse_args()
    os.makedirs(args.out, exist_ok=True)
    started = time.time()
    if args.start:
        shutil.copy(f"{args.start}/tokenizer.json", args.out)
    else:
        tok.save(tok.train(data.examples(args.seed + 1000, 120_000, Split(args.frames, args.synonyms))), f"{args.out}/tokenizer.json")
    print("tokenizer", round(time.time() - started), "s", flush=True)
    meeting = os.path.abspath(f"{args.out}/meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    torch.multiprocessing.spawn(work, (args, meeting), args.workers)
    record = dict(vars(args), seconds=round(time.time() - started), config=Config().__dict__)
    json.dump(record, open(f"{args.out}/training.json", "w"), indent=1)
    print("done", record["seconds"], "s", flush=True)


def work(rank, args, meeting):
    """One worker: its own examples, the same weights, the mean of all workers' gradients."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=args.workers)
    codec = tok.Codec(Tokenizer.from_file(f"{args.out}/tokenizer.json"))
    model = Home()
    if args.start:
        model.load_state_dict(torch.load(f"{args.start}/weights.pt"))
    parameters = list(model.parameters())
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() == 1 or "embed" in name]
    optimizers = [(Muon(matrices), args.peak), (torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.01), args.peak * 0.2)]
    average, running, began = None, 0.0, time.time()
    for step, (ids, wanted, targets) in enumerate(batches(codec, args.seed * 100 + rank, Split(args.frames, args.synonyms), args.batch)):
        if step >= args.steps:
            break
        model.quant.weights = bool(args.start) or step >= 0.4 * args.steps
        model.quant.activations = step >= 0.92 * args.steps
        for optimizer, peak in optimizers:
            optimizer.param_groups[0]["lr"] = rate(step, args.steps, peak)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ids, wanted)
        loss = F.cross_entropy(logits.float(), targets)
        model.zero_grad(set_to_none=True)
        loss.backward()
        share_gradients(parameters, args.workers)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer, _ in optimizers:
            optimizer.step()
        if step >= 0.8 * args.steps:
            average = average_of(average, model, 0.995)
        running = loss.item() if step == 0 else 0.98 * running + 0.02 * loss.item()
        if step % 100 == 0 and rank == 0:
            print(f"step {step} loss {running:.4f} rate {rate(step, args.steps, args.peak):.5f} {time.time() - began:.0f} s", flush=True)
    if rank == 0:
        torch.save(average, f"{args.out}/weights.pt")


def share_gradients(parameters, workers):
    flat = torch.cat([p.grad.view(-1) for p in parameters])
    torch.distributed.all_reduce(flat)
    flat /= workers
    at = 0
    for p in parameters:
        p.grad.copy_(flat[at:at + p.numel()].view_as(p))
        at += p.numel()


def average_of(average, model, keep):
    state = model.state_dict()
    if average is None:
        return {name: value.clone() for name, value in state.items()}
    for name, value in state.items():
        average[name].lerp_(value, 1 - keep)
    return average


if __name__ == "__main__":
    main()
