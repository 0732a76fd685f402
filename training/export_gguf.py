"""The dense model to GGUF (float32), for comparison with llama.cpp. Not shipped.

From a model folder with the weights its 8-bit graph computes with, or from a checkpoint:
`python training/export_gguf.py --model models/embedded --out bench/out/tokenloom-embedded.gguf`.

Architecture `llama`. llama.cpp rotates neighbouring pairs, Llama checkpoints the two
halves, so the rows of Q and K are permuted as its own converter does. The tokenizer is written as
GPT-2 BPE; our pre-tokenizer is not among those llama.cpp knows, so give it token ids where the prompt must be the same.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np

from export import HERE, load
from model import Decoder
from onnx_export.read import load_folder


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows [heads * D, C] from half-split to neighbouring rotary pairs."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def add_tokenizer(writer: gguf.GGUFWriter, path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    special = {t["id"] for t in data["added_tokens"]}
    tokens = [t for t, _ in sorted(data["model"]["vocab"].items(), key=lambda item: item[1])]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for i in range(len(tokens))])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)


def export(model: Decoder, out: Path, tokenizer: Path) -> None:
    """Write `out`; `tokenizer` is the folder of tokenizer.json."""
    c, w = model.c, {k: v.float().numpy() for k, v in model.state_dict().items()}
    if c.num_experts:
        raise ValueError("only the dense model is exported to GGUF")
    writer = gguf.GGUFWriter(str(out), "llama")
    writer.add_name("tokenloom-embedded")
    writer.add_context_length(c.max_positions)
    writer.add_embedding_length(c.hidden_size)
    writer.add_block_count(c.num_layers)
    writer.add_feed_forward_length(c.inner_size)
    writer.add_head_count(c.num_heads)
    writer.add_head_count_kv(c.num_kv_heads)
    writer.add_key_length(c.head_dim)
    writer.add_value_length(c.head_dim)
    writer.add_rope_dimension_count(c.head_dim)
    writer.add_rope_freq_base(c.rope_theta)
    writer.add_layer_norm_rms_eps(c.rms_eps)
    writer.add_vocab_size(c.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    add_tokenizer(writer, tokenizer / "tokenizer.json")
    writer.add_tensor("token_embd.weight", w["embedding.weight"])
    writer.add_tensor("output_norm.weight", w["norm.weight"])
    for i in range(c.num_layers):
        s, t = f"blocks.{i}.", f"blk.{i}."
        gate, up = np.split(w[s + "mlp.gate_up.weight"], 2)
        tensors = {
            "attn_norm": w[s + "attention_norm.weight"], "ffn_norm": w[s + "mlp_norm.weight"],
            "attn_q": interleaved(w[s + "attention.q.weight"], c.num_heads), "attn_k": interleaved(w[s + "attention.k.weight"], c.num_kv_heads),
            "attn_v": w[s + "attention.v.weight"], "attn_output": w[s + "attention.o.weight"],
            "ffn_gate": gate, "ffn_up": up, "ffn_down": w[s + "mlp.down.weight"],
        }
        for name, value in tensors.items():
            writer.add_tensor(f"{t}{name}.weight", np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def source(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which model; `loaded` reads it."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path, help="a dense folder, for instance models/embedded")
    which.add_argument("--checkpoint", type=Path)


def loaded(args: argparse.Namespace) -> Decoder:
    return load_folder(args.model) if args.model else load(args.checkpoint)[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    source(parser)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, help="folder of tokenizer.json (default: that of --model, else of training)")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    export(loaded(args), args.out, args.tokenizer or args.model or HERE / "tokenizer")


if __name__ == "__main__":
    main()
