"""The files beside the graph, so that Optimum-style and genai-style readers find one model."""

import json
import shutil
from pathlib import Path

import onnx

GRAPH = "onnx/model.onnx"


def _model_config(c: dict) -> dict:
    mixture = {"num_local_experts": c["num_experts"], "num_experts_per_tok": c["experts_per_token"], "output_router_logits": False}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": c["vocab_size"],
        "hidden_size": c["hidden_size"],
        "intermediate_size": c["inner_size"],
        "num_hidden_layers": c["num_layers"],
        "num_attention_heads": c["num_heads"],
        "num_key_value_heads": c["num_kv_heads"],
        "head_dim": c["head_dim"],
        "hidden_act": "silu",
        "rms_norm_eps": c["rms_eps"],
        "rope_theta": c["rope_theta"],
        "max_position_embeddings": c["max_positions"],
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        **(mixture if c["num_experts"] else {}),
        "tokenloom": {"whitespace": "compact"},
    }


def _genai_config(c: dict) -> dict:
    cache = {"past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value"}
    present = {"present_key_names": "present.%d.key", "present_value_names": "present.%d.value"}
    return {
        "model": {
            "type": "llama",
            "vocab_size": c["vocab_size"],
            "context_length": c["max_positions"],
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
            "decoder": {
                "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
                "filename": GRAPH,
                "head_size": c["head_dim"],
                "hidden_size": c["hidden_size"],
                "num_attention_heads": c["num_heads"],
                "num_hidden_layers": c["num_layers"],
                "num_key_value_heads": c["num_kv_heads"],
                "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask", **cache},
                "outputs": {"logits": "logits", **present},
            },
        },
        "search": {"do_sample": False, "max_length": c["max_positions"], "past_present_share_buffer": False, "temperature": 1.0, "top_k": 1, "top_p": 1.0},
    }


def write(out: Path, model: onnx.ModelProto, config: dict, tokenizer: Path) -> int:
    """Write the whole folder; returns its size in bytes, README aside."""
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(model, out / GRAPH)
    files = {
        "config.json": _model_config(config),
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "do_sample": False, "max_length": config["max_positions"]},
        "genai_config.json": _genai_config(config),
    }
    for name, content in files.items():
        (out / name).write_text(json.dumps(content, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, out / name)
    return sum(f.stat().st_size for f in out.rglob("*") if f.is_file() and f.name != "README.md")
