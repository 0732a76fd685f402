"""The decoder as an ONNX graph of onnxruntime's fused operators.

Names of nodes, inputs and outputs follow onnxruntime-genai's model builder, so that
tools which rewrite its graphs find what they look for. Shapes: B batch, T new tokens,
P past, C hidden, K key/value heads, D head size, V vocabulary, E experts.

  input_ids [B, T] i64, attention_mask [B, P + T] i64 (right-padded rows allowed),
  past_key_values.{i}.key / .value [B, K, P, D] f32
  -> logits [B, T, V] f32, present.{i}.key / .value [B, K, P + T, D] f32,
     for a mixture also router_logits.{i} [B * T, E] f32, which nothing else depends on
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .quantize import BLOCK, blockwise, rowwise

OPSET = 21
MICROSOFT = "com.microsoft"


class GraphBuilder:
    """Collects nodes and initializers; `bits` is 4, 8 or 32 (no quantization)."""

    def __init__(self, config: dict, bits: int, accuracy_level: int):
        self.c, self.bits, self.accuracy_level = config, bits, accuracy_level
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: list[str], outputs: list[str], name: str, domain: str = "", **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def linear(self, x: str, weight: np.ndarray, name: str, output: str | None = None) -> str:
        """x [B, T, K] times weight [N, K] transposed."""
        output = output or f"{name}/output_0"
        dotted = name.strip("/").replace("/", ".")
        if self.bits == 32:
            return self.node("MatMul", [x, self.constant(f"{dotted}.weight", weight.T)], [output], name)
        packed, scales = blockwise(weight, self.bits)
        return self.quantized_linear(x, self.constant(f"{dotted}.qweight", packed), self.constant(f"{dotted}.scales", scales), weight.shape, name, output)

    def quantized_linear(self, x: str, packed: str, scales: str, shape: tuple[int, int], name: str, output: str) -> str:
        return self.node(
            "MatMulNBits", [x, packed, scales], [output], name, MICROSOFT,
            N=shape[0], K=shape[1], bits=self.bits, block_size=BLOCK, accuracy_level=self.accuracy_level,
        )


def _lengths(g: GraphBuilder) -> None:
    """seqlens_k [B] i32 (real tokens of each row less one) and total_sequence_length i32."""
    base = "/model/attn_mask_reformat"
    one = g.constant("one_i64", np.array([1], np.int64))
    g.node("ReduceSum", ["attention_mask", one], [f"{base}/sum"], f"{base}/ReduceSum", keepdims=0)
    g.node("Sub", [f"{base}/sum", one], [f"{base}/less_one"], f"{base}/Sub")
    g.node("Cast", [f"{base}/less_one"], ["seqlens_k"], f"{base}/Cast", to=TensorProto.INT32)
    g.node("Shape", ["attention_mask"], [f"{base}/shape"], f"{base}/Shape")
    g.node("Gather", [f"{base}/shape", g.constant("one_scalar_i64", np.array(1, np.int64))], [f"{base}/total"], f"{base}/Gather", axis=0)
    g.node("Cast", [f"{base}/total"], ["total_sequence_length"], f"{base}/total/Cast", to=TensorProto.INT32)


def _embedding(g: GraphBuilder, weight: np.ndarray) -> tuple[str, tuple[str, str] | None]:
    """Looks ids up; quantized, the head's weights are read through a Reshape (one copy on disk)."""
    name, output = "/model/embed_tokens", "/model/embed_tokens/output_0"
    if g.bits == 32:
        table = g.constant("model.embed_tokens.weight", weight)
        return g.node("Gather", [table, "input_ids"], [output], f"{name}/Gather"), None
    packed, scales = blockwise(weight, g.bits)
    head = g.constant("lm_head.qweight", packed), g.constant("lm_head.scales", scales)
    shape = g.constant("embed_tokens.shape", np.array([weight.shape[0], -1], np.int64))
    table = g.node("Reshape", [head[0], shape], [f"{name}/Reshape/output_0"], f"{name}/Reshape")
    g.node(
        "GatherBlockQuantized", [table, "input_ids", head[1]], [output], f"{name}/GatherBlockQuantized", MICROSOFT,
        bits=g.bits, block_size=BLOCK, gather_axis=0, quantize_axis=1,
    )
    return output, head


def _attention(g: GraphBuilder, x: str, w: dict, i: int) -> str:
    base, c = f"/model/layers.{i}/attn", g.c
    q, k, v = (g.linear(x, w[f"blocks.{i}.attention.{p}.weight"], f"{base}/{p}_proj/MatMul") for p in "qkv")
    mixed = f"{base}/GroupQueryAttention/output_0"
    g.node(
        "GroupQueryAttention",
        [q, k, v, f"past_key_values.{i}.key", f"past_key_values.{i}.value", "seqlens_k", "total_sequence_length", "cos_cache", "sin_cache"],
        [mixed, f"present.{i}.key", f"present.{i}.value"],
        f"{base}/GroupQueryAttention", MICROSOFT,
        num_heads=c["num_heads"], kv_num_heads=c["num_kv_heads"], scale=c["head_dim"] ** -0.5, do_rotary=1, rotary_interleaved=0,
    )
    return g.linear(mixed, w[f"blocks.{i}.attention.o.weight"], f"{base}/o_proj/MatMul")


def _dense(g: GraphBuilder, x: str, w: dict, i: int) -> str:
    base = f"/model/layers.{i}/mlp"
    gate_w, up_w = np.split(w[f"blocks.{i}.mlp.gate_up.weight"], 2)
    gate = g.linear(x, gate_w, f"{base}/gate_proj/MatMul")
    up = g.linear(x, up_w, f"{base}/up_proj/MatMul")
    g.node("Sigmoid", [gate], [f"{base}/act_fn/Sigmoid/output_0"], f"{base}/act_fn/Sigmoid")
    g.node("Mul", [gate, f"{base}/act_fn/Sigmoid/output_0"], [f"{base}/act_fn/Mul/output_0"], f"{base}/act_fn/Mul")
    g.node("Mul", [f"{base}/act_fn/Mul/output_0", up], [f"{base}/Mul/output_0"], f"{base}/Mul")
    return g.linear(f"{base}/Mul/output_0", w[f"blocks.{i}.mlp.down.weight"], f"{base}/down_proj/MatMul")


def _mixture(g: GraphBuilder, x: str, w: dict, i: int) -> str:
    base, c = f"/model/layers.{i}/moe", g.c
    router = w[f"blocks.{i}.mlp.router.weight"].T
    flat = g.node("Reshape", [x, g.constant(f"layers.{i}.moe.shape", np.array([-1, c["hidden_size"]], np.int64))], [f"{base}/flat"], f"{base}/Reshape")
    logits = g.node("MatMul", [flat, g.constant(f"layers.{i}.moe.router.weight", router)], [f"router_logits.{i}"], f"{base}/router/MatMul")
    fc1, fc2 = w[f"blocks.{i}.mlp.fc1"], w[f"blocks.{i}.mlp.fc2"]
    common = {"k": c["experts_per_token"], "activation_type": "swiglu", "swiglu_fusion": 1, "normalize_routing_weights": 1, "activation_alpha": 1.0, "activation_beta": 0.0}
    output = f"{base}/output_0"
    if g.bits == 32:
        inputs = [x, logits, g.constant(f"layers.{i}.moe.fc1", fc1), "", g.constant(f"layers.{i}.moe.fc2", fc2)]
        return g.node("MoE", inputs, [output], f"{base}/MoE", MICROSOFT, **common)
    inputs = [x, logits]
    for name, weight in (("fc1", fc1), ("fc2", fc2)):
        packed, scales = rowwise(weight)
        inputs += [g.constant(f"layers.{i}.moe.{name}.qweight", packed), g.constant(f"layers.{i}.moe.{name}.scales", scales), ""]
    return g.node("QMoE", inputs[:-1], [output], f"{base}/QMoE", MICROSOFT, expert_weight_bits=8, **common)


def _norm(g: GraphBuilder, x: str, skip: str | None, weight: np.ndarray, name: str) -> tuple[str, str]:
    """RMSNorm of x (+ skip); returns the normed value and the sum."""
    scale = g.constant(f"{name.strip('/').replace('/', '.')}.weight", weight)
    normed, total = f"{name}/output_0", f"{name}/output_3"
    if skip is None:
        g.node("SimplifiedLayerNormalization", [x, scale], [normed], name, axis=-1, epsilon=g.c["rms_eps"], stash_type=1)
        return normed, x
    g.node("SkipSimplifiedLayerNormalization", [x, skip, scale], [normed, "", "", total], name, MICROSOFT, epsilon=g.c["rms_eps"])
    return normed, total


def build(config: dict, weights: dict[str, np.ndarray], cos: np.ndarray, sin: np.ndarray, bits: int = 8, accuracy_level: int = 0) -> onnx.ModelProto:
    """config as `ModelConfig.to_dict`, weights as the checkpoint's state dict in numpy."""
    g, c, w = GraphBuilder(config, bits, accuracy_level), config, weights
    _lengths(g)
    g.constant("cos_cache", cos)
    g.constant("sin_cache", sin)
    x, head = _embedding(g, w["embedding.weight"])
    skip = None
    for i in range(c["num_layers"]):
        normed, x = _norm(g, x, skip, w[f"blocks.{i}.attention_norm.weight"], f"/model/layers.{i}/input_layernorm/LayerNorm")
        attended = _attention(g, normed, w, i)
        normed, x = _norm(g, x, attended, w[f"blocks.{i}.mlp_norm.weight"], f"/model/layers.{i}/post_attention_layernorm/LayerNorm")
        skip = (_mixture if c["num_experts"] else _dense)(g, normed, w, i)
    last = f"/model/layers.{c['num_layers']}/final_norm_layernorm/LayerNorm"
    normed, _ = _norm(g, x, skip, w["norm.weight"], last)
    if head is None:
        g.linear(normed, w["embedding.weight"], "/lm_head/MatMul", "logits")
    else:
        g.quantized_linear(normed, head[0], head[1], w["embedding.weight"].shape, "/lm_head/MatMul", "logits")
    return _model(g)


def _model(g: GraphBuilder) -> onnx.ModelProto:
    c, info = g.c, helper.make_tensor_value_info
    f32, i64 = TensorProto.FLOAT, TensorProto.INT64
    inputs = [info("input_ids", i64, ["batch_size", "sequence_length"]), info("attention_mask", i64, ["batch_size", "total_sequence_length"])]
    outputs = [info("logits", f32, ["batch_size", "sequence_length", c["vocab_size"]])]
    for i in range(c["num_layers"]):
        for part in ("key", "value"):
            inputs.append(info(f"past_key_values.{i}.{part}", f32, ["batch_size", c["num_kv_heads"], "past_sequence_length", c["head_dim"]]))
            outputs.append(info(f"present.{i}.{part}", f32, ["batch_size", c["num_kv_heads"], "total_sequence_length", c["head_dim"]]))
    if c["num_experts"]:
        outputs += [info(f"router_logits.{i}", f32, ["tokens", c["num_experts"]]) for i in range(c["num_layers"])]
    graph = helper.make_graph(g.nodes, "main_graph", inputs, outputs, g.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)], ir_version=10, producer_name="tokenloom")
