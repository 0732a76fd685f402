"""Compare an exported graph with PyTorch: prefill, then single steps with the cache."""

import numpy as np
import onnx
import onnxruntime as ort
import torch

from model import Decoder


class Runner:
    """One session; holds nothing between calls."""

    def __init__(self, model: onnx.ModelProto, config: dict, threads: int = 1):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.c = config
        self.names = ["logits"] + [f"present.{i}.{p}" for i in range(config["num_layers"]) for p in ("key", "value")]

    def empty(self, rows: int = 1) -> list[np.ndarray]:
        shape = (rows, self.c["num_kv_heads"], 0, self.c["head_dim"])
        return [np.zeros(shape, np.float32) for _ in range(2 * self.c["num_layers"])]

    def step(self, ids: np.ndarray, past: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
        """ids [B, T] on top of past; returns logits [B, T, V] and the new cache."""
        feeds = {name.replace("present", "past_key_values"): value for name, value in zip(self.names[1:], past)}
        feeds["input_ids"] = ids
        feeds["attention_mask"] = np.ones((ids.shape[0], past[0].shape[2] + ids.shape[1]), np.int64)
        logits, *present = self.session.run(self.names, feeds)
        return logits, present


@torch.no_grad()
def largest_difference(model: Decoder, runner: Runner, samples: list[list[int]], steps: int = 8) -> dict:
    """|Logit difference| over prefills (max, mean) and over `steps` single tokens after them (max)."""
    prefill, decode, agree, total = 0.0, 0.0, 0, 0
    means = []
    for ids in samples:
        wanted = model(torch.tensor([ids]))[0].numpy()
        logits, past = runner.step(np.array([ids[:-steps]]), runner.empty())
        difference = np.abs(logits[0] - wanted[0, :-steps])
        prefill = max(prefill, float(difference.max()))
        means.append(float(difference.mean()))
        for k in range(len(ids) - steps, len(ids)):
            logits, past = runner.step(np.array([[ids[k]]]), past)
            decode = max(decode, float(np.abs(logits[0, 0] - wanted[0, k]).max()))
            agree += int(logits[0, 0].argmax() == wanted[0, k].argmax())
            total += 1
    return {"prefill_max_abs": round(prefill, 5), "prefill_mean_abs": round(float(np.mean(means)), 5), "steps_max_abs": round(decode, 5), "same_top_token": round(agree / total, 4)}
