"""Train the dense model or the mixture: `python training/train.py --config dense`.

Schedule: linear warm-up, constant, linear decay to zero over the last `decay` steps (WSD), so a
run may be prolonged or ended early from any checkpoint: `--resume CHECKPOINT --steps N --decay M`.
`--seconds S --decay-share D` fits a run into the time of a borrowed device instead: the decay begins when that share of the time
is left, and the log and the checkpoint tell the steps that came of it. The order of the data and the first weights follow from
the seed; so does the run, on the same hardware. The mixture starts from a dense checkpoint (`--upcycle`, upcycle.py).

Under `torchrun --nproc-per-node N` a step takes a batch of each of N processes. Two processes of one thread see 1.3 times the tokens of one
process of two threads.
"""

import argparse
import json
import time
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F

from batches import Shape, Shard, hardest, stream
from induction import install
from model import Decoder, ModelConfig, restored
from optim import make_optimizers
from parallel_case import twins
from precision import mixed
from processes import Processes
from upcycle import upcycle

HERE = Path(__file__).parent


def schedule(step: int, first: int, warmup: int, steps: int, decay: int) -> float:
    """Share of the full rate at `step`, when the optimizers were new at step `first`."""
    return max(0.0, min(1.0, (step - first + 1) / warmup, (steps - step) / decay))


def balance_loss(routers: list, real: torch.Tensor, k: int) -> torch.Tensor:
    """experts * sum(share of tokens * mean probability), averaged over layers; 1 when even. `real` [B, T]: no padding."""
    total = torch.zeros((), device=real.device)
    for logits in routers:
        # The last layer's router may have seen only the end of the rows.
        keep = real[:, -(logits.shape[0] // real.shape[0]) :].flatten().float()[:, None]
        chosen = logits >= logits.topk(k, -1).values[:, -1:]
        share = (chosen * keep).sum(0) / (k * keep.sum())
        mean = (logits.softmax(-1) * keep).sum(0) / keep.sum()
        total = total + logits.shape[-1] * (share * mean).sum()
    return total / len(routers)


def loss_of(model: Decoder, ids: torch.Tensor, index: torch.Tensor, targets: torch.Tensor, tail: int | None, balance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean loss over the answer tokens of a `Batch` (plus balance), and whether each was the top choice. No tail: all positions."""
    hidden, _, routers = model.hidden(ids, tail=tail)
    logits = model.head(hidden.flatten(0, 1)[index])
    loss = F.cross_entropy(logits, targets)
    if balance:
        loss = loss + balance * balance_loss(routers, ids != 0, model.c.experts_per_token)
    return loss, logits.argmax(-1) == targets


def row_losses(model: Decoder, ids: torch.Tensor, index: torch.Tensor, targets: torch.Tensor, tail: int) -> torch.Tensor:
    """Mean loss of each row's answer [B]."""
    hidden, _, _ = model.hidden(ids, tail=tail)
    logits = model.head(hidden.flatten(0, 1)[index])
    loss = F.cross_entropy(logits, targets, reduction="none")
    row, none = index // hidden.shape[1], torch.zeros(ids.shape[0], device=ids.device)
    return none.index_add(0, row, loss) / none.index_add(0, row, torch.ones_like(loss))


@torch.no_grad()
def validate(model: Decoder, paths: list[Path]) -> dict:
    """Per split: loss, right tokens, and samples whose every token is the greedy choice."""
    out = {}
    for path in paths:
        shard, losses, tokens, right_tokens, whole, samples = Shard(path), 0.0, 0, 0, 0, 0
        for indices in shard.batches(8192, "validation"):
            batch = shard.batch(indices, Shape(32, True)).to(model.cos.device)
            with mixed(batch.ids.device.type):
                loss, right = loss_of(model, batch.ids, batch.index, batch.targets, None, 0.0)
            hits = torch.ones(batch.ids.numel(), dtype=torch.bool, device=right.device)
            hits[batch.index] = right
            losses += float(loss) * len(right)
            tokens += len(right)
            right_tokens += int(right.sum())
            whole += int(hits.view(len(indices), -1).all(1).sum())
            samples += len(indices)
        out[path.stem] = {
            "loss": round(losses / tokens, 4),
            "token_accuracy": round(right_tokens / tokens, 4),
            "exact": round(whole / samples, 4),
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", default="dense")
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--tokenizer", type=Path, default=HERE / "tokenizer" / "tokenizer.json")
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--upcycle", type=Path)
    parser.add_argument("--shards", default="full-*.npz", help="pattern of the shards to read, in the order of their names")
    parser.add_argument("--follow", help="FIRST:COUNT, shards by index in place of a pattern, each read once make_shards.py has written it")
    parser.add_argument("--easy", action="store_true", help="the shards of short samples first")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--decay", type=int)
    parser.add_argument("--seconds", type=float, help="end after so many seconds, whatever the number of steps")
    parser.add_argument("--decay-share", type=float, default=0.4, help="of --seconds")
    parser.add_argument("--batch-tokens", type=int, help="padded tokens of a step (of a process); the configuration's are for a GPU")
    parser.add_argument("--rate", type=float, default=1.0, help="share of the configuration's learning rates: smaller batches take smaller ones")
    parser.add_argument("--embedding-rate", type=float, default=1.0, help="further share of AdamW's: more for an embedding that has just grown")
    parser.add_argument("--momentum", type=float, default=0.95, help="of Muon: small batches take more, as their gradients are noisier")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--hardest", type=int, default=1, metavar="K", help="of K batches only the rows with the highest losses are learned from, as many as one batch has")
    parser.add_argument("--judge", type=Path, help="checkpoint whose losses tell the hardest rows, in place of the model's own: a cheaper dense model beside a mixture")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches (for a GPU)")
    parser.add_argument("--compile", action="store_true", help="about 1.4x faster on a CPU (a mixture in float32: 1.06x); takes a C++ compiler")
    parser.add_argument("--save-every", type=int, default=250)
    args = parser.parse_args()

    config = json.loads((HERE / "configs" / f"{args.config}.json").read_text())
    vocabulary = json.loads(args.tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    steps, decay = args.steps or config["steps"], args.decay or config["decay"]
    if args.seconds:
        steps = decay = 10**9
    processes = Processes()
    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(config["seed"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Decoder(ModelConfig(**config["model"], vocab_size=len(vocabulary)))
    if config.get("induction_layers") and not args.resume:
        install(model, tuple(config["induction_layers"]))
    if args.upcycle:
        upcycle(model, torch.load(args.upcycle, weights_only=True, map_location="cpu")["model"])
    model.to(device)
    optimizers = make_optimizers(model, config["muon_lr"], config["adam_lr"], config["weight_decay"], args.momentum)
    rates = [[args.rate * share * g["lr"] for g in o.param_groups] for o, share in zip(optimizers, (1.0, args.embedding_rate))]
    step, seen, first, taken = 0, 0, 0, 0
    source = [args.easy, args.follow or args.shards]
    if args.resume:
        saved = torch.load(args.resume, weights_only=True, map_location=device)
        model.load_state_dict(saved["model"])
        step, seen = saved["step"], saved["tokens"]
        # Weights alone go on with new optimizers, which need a warm-up.
        first = saved.get("first", step) if "optimizers" in saved else step
        for optimizer, state in zip(optimizers, saved.get("optimizers", [])):
            optimizer.load_state_dict(state)
        if saved.get("shards") == source:
            taken = saved["batch"]

    capitals, smalls = (ids.to(device) for ids in twins(vocabulary))
    objective = torch.compile(loss_of, dynamic=True) if args.compile else loss_of
    judge = restored(torch.load(args.judge, weights_only=True, map_location=device)).to(device) if args.judge else model
    rows = torch.compile(row_losses, dynamic=True) if args.compile else row_losses
    shape = Shape(32, True) if device == "cuda" else Shape()
    # It plans anew for every shape of batch.
    torch.backends.cuda.enable_cudnn_sdp(False)
    shards = args.work / "shards"
    validation = sorted((args.work / "validation").glob("*.npz"))
    paths = sorted(shards.glob("easy-*.npz")) if args.easy else []
    if args.follow:
        start, count = map(int, args.follow.split(":"))
        paths += [shards / f"full-{i:03d}.npz" for i in range(start, start + count)]
    else:
        paths += sorted(shards.glob(args.shards))

    def save(name: str) -> None:
        if processes.rank:
            return
        saved = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": step, "tokens": seen, "first": first, "shards": source, "batch": taken, "config": model.c.to_dict()}
        temporary = args.work / f"{args.config}.tmp"
        torch.save(saved, temporary)
        temporary.replace(args.work / name)

    log = (args.work / f"{args.config}.jsonl").open("a")
    started, since, begun, means = time.time(), seen, step, []
    settled = 0.0
    budget, of = args.batch_tokens or config["batch_tokens"], args.hardest
    batches = islice(stream(paths, budget, config["seed"], taken, args.workers, shape, processes.count * of), processes.rank, None, processes.count)
    for batch in batches:
        if args.seconds and steps == 10**9:
            # One clock for all: they must agree on the step.
            elapsed = processes.agreed(time.time() - started)
            # The first steps wait for shards and kernels: they tell nothing of the pace.
            half = begun + config["warmup"] // 2
            settled = elapsed if step <= half else settled
            if elapsed >= args.seconds * (1 - args.decay_share) and step > begun + config["warmup"]:
                pace = (step - half) / (elapsed - settled)
                decay = max(1, round((args.seconds - elapsed) * pace))
                steps = step + decay
                save(f"{args.config}-before-decay.pt")
        factor = schedule(step, first, config["warmup"], steps, decay)
        for optimizer, base in zip(optimizers, rates):
            for group, lr in zip(optimizer.param_groups, base):
                group["lr"] = lr * factor
        batch = batch.to(device)
        read = batch.tokens
        if of > 1:
            several = [batch, *(b.to(device) for b in islice(batches, of - 1))]
            read = sum(b.tokens for b in several)
            with torch.no_grad(), mixed(device):
                losses = [rows(judge, b.ids, b.index, b.targets, b.tail) for b in several]
            batch = hardest(several, losses, budget)
        with mixed(device):
            loss, _ = objective(model, batch.ids, batch.index, batch.targets, None if shape.whole else batch.tail, config["balance"])
        loss.backward()
        processes.average(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), config["clip"])
        # A capital's embedding is its small letter's plus a difference: it goes along where that goes.
        embedding = model.embedding.weight
        before = embedding.detach()[smalls]
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            embedding[capitals] += embedding[smalls] - before
        step, taken = step + 1, taken + processes.count * of
        # The batches of a step are about as long.
        seen += read * processes.count
        means.append(loss.detach())
        if step % 50 == 0 or step >= steps:
            mean = float(torch.stack(means).mean())
            record = {"step": step, "tokens": seen, "loss": round(mean, 4), "lr": round(args.rate * factor, 4), "tokens_per_s": round((seen - since) / (time.time() - started)), "seconds": round(time.time() - started)}
            means = []
            if step % args.save_every == 0 or step >= steps:
                record["validation"] = processes.joined(validate(model, validation[processes.rank :: processes.count]))
                save(f"{args.config}.pt")
            if not processes.rank:
                print(json.dumps(record), file=log, flush=True)
        if step >= steps:
            break
    processes.end()


if __name__ == "__main__":
    main()
