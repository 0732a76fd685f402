"""Train the dense model or the mixture: `python training/train.py --config dense`.

Schedule: linear warm-up, constant, linear decay to zero over the last `decay` steps (WSD), so a
run may be prolonged or ended early from any checkpoint: `--resume CHECKPOINT --steps N --decay M`.
The order of the data, the first weights and therefore the run follow from the seed. The mixture
starts from a dense checkpoint (`--upcycle`): every expert begins as a copy of the dense inner layer
plus a little noise (Komatsuzaki et al. 2022).
"""

import argparse
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from batches import IGNORED, Shard, stream
from induction import install
from model import Decoder, ModelConfig
from optim import make_optimizers

HERE = Path(__file__).parent


def schedule(step: int, first: int, warmup: int, steps: int, decay: int) -> float:
    """Share of the full rate at `step`, when the optimizers were new at step `first`."""
    return max(0.0, min(1.0, (step - first + 1) / warmup, (steps - step) / decay))


def balance_loss(routers: list, keep: torch.Tensor, k: int) -> torch.Tensor:
    """experts * sum(share of tokens * mean probability), averaged over layers; 1 when even."""
    total = torch.zeros((), device=keep.device)
    for logits in routers:
        # The last layer's router saw only the end of the rows.
        chosen = logits[keep[:, -(logits.shape[0] // keep.shape[0]) :].flatten()]
        share = F.one_hot(chosen.topk(k, -1).indices, chosen.shape[-1]).sum(1).float().mean(0) / k
        total = total + chosen.shape[-1] * (share * chosen.softmax(-1).mean(0)).sum()
    return total / len(routers)


def loss_of(model: Decoder, ids: torch.Tensor, targets: torch.Tensor, balance: float, body=None) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean loss over answer tokens (plus balance), and whether each was the top choice.

    `body` stands for `model.hidden` where a compiled twin of it is to be used.
    """
    wanted = targets != IGNORED
    answers = ids.shape[1] - int(wanted.any(0).int().argmax())
    hidden, _, routers = (body or model.hidden)(ids, tail=answers)
    wanted, targets = wanted[:, -answers:], targets[:, -answers:]
    logits = model.head(hidden[wanted])
    loss = F.cross_entropy(logits, targets[wanted])
    if balance:
        loss = loss + balance * balance_loss(routers, ids != 0, model.c.experts_per_token)
    return loss, logits.argmax(-1) == targets[wanted]


@torch.no_grad()
def validate(model: Decoder, paths: list[Path]) -> dict:
    """Per split: loss, right tokens, and samples whose every token is the greedy choice."""
    out = {}
    for path in paths:
        shard, losses, tokens, right_tokens, whole, samples = Shard(path), 0.0, 0, 0, 0, 0
        for indices in shard.batches(8192, "validation"):
            ids, targets = (part.to(model.cos.device) for part in shard.rows(indices))
            with torch.autocast(ids.device.type, torch.bfloat16):
                loss, right = loss_of(model, ids, targets, 0.0)
            wanted = targets != IGNORED
            hits = torch.ones_like(wanted)
            hits[wanted] = right
            losses += float(loss) * int(wanted.sum())
            tokens += int(wanted.sum())
            right_tokens += int(right.sum())
            whole += int(hits.all(1).sum())
            samples += len(indices)
        out[path.stem] = {
            "loss": round(losses / tokens, 4),
            "token_accuracy": round(right_tokens / tokens, 4),
            "exact": round(whole / samples, 4),
        }
    return out


@torch.no_grad()
def upcycle(model: Decoder, state: dict, noise: float = 0.05) -> None:
    """Fill a mixture from dense weights; gate and up rows become interleaved.

    Routers start small, so that the balance loss evens them out within few steps.
    """
    own = model.state_dict()
    for key, value in state.items():
        if ".mlp." not in key:
            own[key].copy_(value)
    for i in range(model.c.num_layers):
        own[f"blocks.{i}.mlp.router.weight"].mul_(0.1)
        gate, up = state[f"blocks.{i}.mlp.gate_up.weight"].chunk(2)
        fc1 = torch.stack((gate, up), 1).flatten(0, 1)
        for key, value in (("fc1", fc1), ("fc2", state[f"blocks.{i}.mlp.down.weight"])):
            target = own[f"blocks.{i}.mlp.{key}"]
            target.copy_(value.expand_as(target) + noise * value.std() * torch.randn_like(target))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", default="dense")
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--upcycle", type=Path)
    parser.add_argument("--shards", default="full-*.npz", help="pattern of the shards to read, in the order of their names")
    parser.add_argument("--easy", action="store_true", help="the shards of short samples first")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--decay", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="about 1.4x faster on a CPU; takes a C++ compiler")
    parser.add_argument("--save-every", type=int, default=250)
    args = parser.parse_args()

    config = json.loads((HERE / "configs" / f"{args.config}.json").read_text())
    steps, decay = args.steps or config["steps"], args.decay or config["decay"]
    torch.set_num_threads(args.threads)
    torch.manual_seed(config["seed"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Decoder(ModelConfig(**config["model"]))
    if config.get("induction_layers"):
        install(model, tuple(config["induction_layers"]))
    if args.upcycle:
        upcycle(model, torch.load(args.upcycle, weights_only=True)["model"])
    model.to(device)
    optimizers = make_optimizers(model, config["muon_lr"], config["adam_lr"], config["weight_decay"])
    rates = [[g["lr"] for g in o.param_groups] for o in optimizers]
    step, seen, first, batch = 0, 0, 0, 0
    if args.resume:
        saved = torch.load(args.resume, weights_only=True)
        model.load_state_dict(saved["model"])
        step, seen = saved["step"], saved["tokens"]
        # Weights alone go on with new optimizers, which need a warm-up.
        first = saved.get("first", step)
        for optimizer, state in zip(optimizers, saved.get("optimizers", [])):
            optimizer.load_state_dict(state)
        if saved.get("shards") == [args.easy, args.shards]:
            batch = saved["batch"]

    body = torch.compile(model.hidden, dynamic=True) if args.compile else model.hidden
    shards = args.work / "shards"
    validation = sorted((args.work / "validation").glob("*.npz"))
    paths = (sorted(shards.glob("easy-*.npz")) if args.easy else []) + sorted(shards.glob(args.shards))
    log = (args.work / f"{args.config}.jsonl").open("a")
    started, since, losses = time.time(), seen, []
    for ids, targets in stream(paths, config["batch_tokens"], config["seed"], skip=batch):
        factor = schedule(step, first, config["warmup"], steps, decay)
        for optimizer, base in zip(optimizers, rates):
            for group, lr in zip(optimizer.param_groups, base):
                group["lr"] = lr * factor
        with torch.autocast(device, torch.bfloat16):
            ids, targets = ids.to(device), targets.to(device)
            loss, _ = loss_of(model, ids, targets, config["balance"], body)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config["clip"])
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, batch = step + 1, batch + 1
        seen += int((ids != 0).sum())
        losses.append(float(loss.detach()))
        if step % 50 == 0 or step >= steps:
            record = {"step": step, "tokens": seen, "loss": round(sum(losses) / len(losses), 4), "lr": round(factor, 4), "tokens_per_s": round((seen - since) / (time.time() - started))}
            losses = []
            if step % args.save_every == 0 or step >= steps:
                record["validation"] = validate(model, validation)
                saved = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": step, "tokens": seen, "first": first, "shards": [args.easy, args.shards], "batch": batch, "config": model.c.to_dict()}
                temporary = args.work / f"{args.config}.tmp"
                torch.save(saved, temporary)
                temporary.replace(args.work / f"{args.config}.pt")
            print(json.dumps(record), file=log, flush=True)
        if step >= steps:
            break


if __name__ == "__main__":
    main()
