"""A shipped folder back to PyTorch, with the weights its quantized graph computes with."""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from model import Decoder, ModelConfig

from .folder import GRAPH
from .quantize import rows_unpacked, unpacked


def load_folder(folder: Path) -> Decoder:
    """The decoder of `folder`, dense or a mixture, of 8-bit weights."""
    c = json.loads((folder / "config.json").read_text())
    parts = {t.name: numpy_helper.to_array(t) for t in onnx.load(folder / GRAPH).graph.initializer}

    def matrix(name: str) -> np.ndarray:
        return unpacked(parts[f"{name}.qweight"], parts[f"{name}.scales"])

    weights = {"embedding.weight": matrix("lm_head")}
    for i in range(c["num_hidden_layers"]):
        ours, theirs = f"blocks.{i}.", f"model.layers.{i}."
        for part in "qkvo":
            weights[f"{ours}attention.{part}.weight"] = matrix(f"{theirs}attn.{part}_proj.MatMul")
        if "num_local_experts" in c:
            moe = f"layers.{i}.moe."
            weights[f"{ours}mlp.router.weight"] = parts[f"{moe}router.weight"].T
            for part in ("fc1", "fc2"):
                weights[f"{ours}mlp.{part}"] = rows_unpacked(parts[f"{moe}{part}.qweight"], parts[f"{moe}{part}.scales"])
        else:
            gate_up = [matrix(f"{theirs}mlp.{part}_proj.MatMul") for part in ("gate", "up")]
            weights[f"{ours}mlp.gate_up.weight"] = np.concatenate(gate_up)
            weights[f"{ours}mlp.down.weight"] = matrix(f"{theirs}mlp.down_proj.MatMul")
        weights[f"{ours}attention_norm.weight"] = parts[f"{theirs}input_layernorm.LayerNorm.weight"]
        weights[f"{ours}mlp_norm.weight"] = parts[f"{theirs}post_attention_layernorm.LayerNorm.weight"]
    weights["norm.weight"] = parts[f"model.layers.{c['num_hidden_layers']}.final_norm_layernorm.LayerNorm.weight"]
    model = Decoder(ModelConfig(
        vocab_size=c["vocab_size"], hidden_size=c["hidden_size"], num_layers=c["num_hidden_layers"], num_heads=c["num_attention_heads"],
        num_kv_heads=c["num_key_value_heads"], head_dim=c["head_dim"], inner_size=c["intermediate_size"], rope_theta=c["rope_theta"],
        rms_eps=c["rms_norm_eps"], max_positions=c["max_position_embeddings"],
        num_experts=c.get("num_local_experts", 0), experts_per_token=c.get("num_experts_per_tok", 2),
    )).eval()
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model
