"""Trains the model, in two phases:

    python train.py --out A                          from nothing
    python train.py --out B --start A --seed 2       goes on from A's weights

The first phase never sees the held-out tenth of frames and synonyms; it leaves `held/` beside its results, the model to measure
the held-out sets on. The second goes on with all of them; its weights are the ones to ship. README.md has the commands of the
shipped model.

Examples are generated as they are needed, never twice the same, from the seed. The loss is taken on the answer's tokens. Weights are
rounded as the export will round them. The weights saved are a running average.
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
HELD_OUT, ALL = Split("train", "train"), Split()


def batches(codec, seed, split, size):
    """Endless batches of (ids, indices of the positions that predict an answer token, those tokens), of near-equal lengths."""
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
    wanted, targets = [], []
    for i, (prompt, answer) in enumerate(rows):
        line = prompt + answer[:-1]
        ids[i, :len(line)] = torch.tensor(line)
        wanted += range(i * width + len(prompt) - 1, i * width + len(line))
        targets += answer
    return ids, torch.tensor(wanted), torch.tensor(targets)


def rate(progress, peak):
    """Warm up, hold, then fall linearly to nothing. progress: of a phase, from 0 to 1."""
    warm, hold = 0.03, 0.4
    return peak * min(1, (progress + 1e-3) / warm, max(0, 1 - progress) / (1 - hold))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--out", required=True)
    options.add_argument("--start", help="folder of an earlier stage: its tokenizer and weights are the start")
    options.add_argument("--steps", type=int, default=4000)
    options.add_argument("--minutes", type=float, help="end after so long, whatever the steps: for a machine of unknown speed")
    options.add_argument("--batch", type=int, default=128, help="examples a worker and step")
    options.add_argument("--peak", type=float, default=0.02)
    options.add_argument("--dropout", type=float, default=0.04, help="share of the tokenizer's merges skipped")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--held", type=float, default=0.45, help="share of the steps in the first phase, without the held-out tenth")
    options.add_argument("--workers", type=int, default=2)
    args = options.parse_args()
    os.makedirs(args.out, exist_ok=True)
    started = time.time()
    if args.start:
        shutil.copy(f"{args.start}/tokenizer.json", args.out)
    else:
        tok.save(tok.train(data.examples(args.seed + 1000, 120_000, HELD_OUT)), f"{args.out}/tokenizer.json")
    print("tokenizer", round(time.time() - started), "s", flush=True)
    meeting = os.path.abspath(f"{args.out}/meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    torch.multiprocessing.spawn(work, (args, meeting, started), args.workers)


def work(rank, args, meeting, began):
    """One worker: its own examples, the same weights, the mean of all workers' gradients."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=args.workers)
    codec = tok.Codec(Tokenizer.from_file(f"{args.out}/tokenizer.json"), args.dropout)
    model = Home()
    model.quant.weights = True
    if args.start:
        model.load_state_dict(torch.load(f"{args.start}/weights.pt"))

    @torch.compile(dynamic=True)
    def loss_of(ids, wanted, targets):
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ids, wanted)
        return F.cross_entropy(logits.float(), targets)

    parameters = list(model.parameters())
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() == 1 or "embed" in name]
    optimizers = [(Muon(matrices), args.peak), (torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.01), args.peak * 0.2)]
    average = {name: value.clone() for name, value in model.state_dict().items()}
    progress, running, step = 0.0, None, 0
    source = batches(codec, args.seed * 100 + rank, HELD_OUT, args.batch)
    while progress < 1:
        batch = next(source)
        phase = progress / args.held if progress < args.held else (progress - args.held) / (1 - args.held)
        for optimizer, peak in optimizers:
            optimizer.param_groups[0]["lr"] = rate(phase, peak)
        loss = loss_of(*batch)
        model.zero_grad(set_to_none=True)
        loss.backward()
        elapsed = share_gradients(parameters, args.workers, time.time() - began)
        step += 1
        before, progress = progress, elapsed / (60 * args.minutes) if args.minutes else step / args.steps
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer, _ in optimizers:
            optimizer.step()
        for name, value in model.state_dict().items():
            average[name].lerp_(value, max(0.005, 1 / step))
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if before < args.held <= progress:
            source = batches(codec, args.seed * 100 + 50 + rank, ALL, args.batch)
            if rank == 0:
                save(f"{args.out}/held", args, average, step, elapsed)
                shutil.copy(f"{args.out}/tokenizer.json", f"{args.out}/held")
        if rank == 0 and step % 50 == 1:
            print(f"step {step} loss {running:.4f} rate {rate(phase, args.peak):.5f} {elapsed:.0f} s", flush=True)
        if rank == 0 and (step % 100 == 0 or progress >= 1):
            save(args.out, args, average, step, elapsed)


def save(folder, args, weights, steps, seconds):
    """The weights so far, whole at every moment, and how they came about."""
    os.makedirs(folder, exist_ok=True)
    torch.save(weights, f"{folder}/weights.tmp")
    os.replace(f"{folder}/weights.tmp", f"{folder}/weights.pt")
    record = dict(vars(args), steps_done=steps, seconds=round(seconds), config=Config().__dict__)
    json.dump(record, open(f"{folder}/training.json", "w"), indent=1)


def share_gradients(parameters, workers, elapsed):
    """Replaces every gradient by the mean over the workers; returns the mean of `elapsed`, so that all agree on the time."""
    flat = torch.cat([p.grad.view(-1) for p in parameters] + [torch.tensor([elapsed])])
    torch.distributed.all_reduce(flat)
    flat /= workers
    at = 0
    for p in parameters:
        p.grad.copy_(flat[at:at + p.numel()].view_as(p))
        at += p.numel()
    return flat[-1].item()


if __name__ == "__main__":
    main()
