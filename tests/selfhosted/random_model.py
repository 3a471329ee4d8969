"""A language model that knows nothing: a tiny llama with random weights, as a GGUF file that llama.cpp loads.

No weights are downloaded. One dimension of every embedding is constant and reaches the output untouched, which gives
each token a likelihood of its own: strings end, lists end, and no half UTF-8 character comes out.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

WORDS = (
    "the",
    "a",
    "of",
    "and",
    "to",
    "in",
    "is",
    "with",
    "for",
    "on",
    "team",
    "model",
    "data",
    "tool",
    "test",
    "shows",
)
LAYERS, WIDTH, INNER, HEADS, CONTEXT = 2, 64, 128, 4, 65_536
LIKELY = {" ": 3.0, "{": 4.0, ",": 2.5, '"': 2.0, ".": 1.5, "}": 1.0, "]": 0.5}
NEVER = -20.0


def write_random_model(path: Path, seed: int = 0) -> None:
    """Write the model; the same seed gives the same file."""
    chance = np.random.default_rng(seed)
    tokens, kinds, priors = _vocabulary()
    tensors = _tensors(chance, np.array(priors, dtype=np.float32))
    values = [
        ("general.architecture", "llama"),
        ("general.name", f"random-{seed}"),
        ("llama.context_length", CONTEXT),
        ("llama.embedding_length", WIDTH),
        ("llama.block_count", LAYERS),
        ("llama.feed_forward_length", INNER),
        ("llama.attention.head_count", HEADS),
        ("llama.attention.head_count_kv", HEADS),
        ("llama.rope.dimension_count", WIDTH // HEADS),
        ("llama.vocab_size", len(tokens)),
        ("llama.attention.layer_norm_rms_epsilon", 1e-5),
        ("tokenizer.ggml.model", "llama"),
        ("tokenizer.ggml.tokens", tokens),
        ("tokenizer.ggml.scores", [float(len(token)) for token in tokens]),
        ("tokenizer.ggml.token_type", kinds),
        ("tokenizer.ggml.unknown_token_id", 0),
        ("tokenizer.ggml.bos_token_id", 1),
        ("tokenizer.ggml.eos_token_id", 2),
        ("tokenizer.ggml.add_space_prefix", False),  # or grammars that begin with a brace cannot be sampled
    ]
    path.write_bytes(_gguf(values, tensors))


def _vocabulary() -> tuple[list[str], list[int], list[float]]:
    """Return tokens, llama.cpp's kind of each (normal 1, unknown 2, control 3, byte 6) and its log-likelihood."""
    special = [("<unk>", 2, NEVER), ("<s>", 3, NEVER), ("</s>", 3, 1.0)]
    raw = [(f"<0x{byte:02X}>", 6, NEVER) for byte in range(256)]
    letters = [(chr(code).replace(" ", "▁"), 1, LIKELY.get(chr(code), 0.0)) for code in range(32, 127)]
    words = [(f"▁{word}", 1, 1.5) for word in WORDS]
    rows = [*special, *raw, *letters, *words]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _tensors(chance: np.random.Generator, priors: np.ndarray) -> dict[str, np.ndarray]:
    def random(*shape: int, scale: float = 0.04) -> np.ndarray:
        return chance.normal(0, scale, shape).astype(np.float32)

    embedding = random(len(priors), WIDTH, scale=0.05)
    embedding[:, 0] = 1.0
    output = random(len(priors), WIDTH, scale=0.06)
    output[:, 0] = priors / np.sqrt(WIDTH)  # the norm before it brings the constant to about the root of the width
    tensors = {
        "token_embd.weight": embedding,
        "output.weight": output,
        "output_norm.weight": np.ones(WIDTH, np.float32),
    }
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH), "attn_output": (WIDTH, WIDTH),
            "ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER),
        }  # fmt: skip
        for name, shape in shapes.items():
            weight = random(*shape)
            if name in ("attn_output", "ffn_down"):
                weight[0] = 0.0  # nothing is added to the constant
            tensors[f"blk.{layer}.{name}.weight"] = weight
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{layer}.{name}.weight"] = np.ones(WIDTH, np.float32)
    return tensors


# ---------------------------------------------------------------- the file format, version 3

ALIGNMENT = 32


def _gguf(values: list[tuple[str, object]], tensors: dict[str, np.ndarray]) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(_text(name) + _typed(value) for name, value in values)
    offset, body = 0, b""
    for name, tensor in tensors.items():
        head += _text(name) + struct.pack("<I", tensor.ndim)
        head += struct.pack(f"<{tensor.ndim}Q", *reversed(tensor.shape)) + struct.pack("<IQ", 0, offset)
        data = _padded(tensor.tobytes())
        body, offset = body + data, offset + len(data)
    return _padded(head) + body


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: object) -> bytes:
    kind, data = _bare(value)
    return struct.pack("<I", kind) + data


def _bare(value: object) -> tuple[int, bytes]:
    match value:
        case bool():
            return 7, struct.pack("<?", value)
        case int():
            return 4, struct.pack("<I", value)
        case float():
            return 6, struct.pack("<f", value)
        case str():
            return 8, _text(value)
        case list():
            items = [_bare(item) for item in value]
            kind = 5 if items[0][0] == 4 else items[0][0]  # whole numbers in lists are signed
            return 9, struct.pack("<IQ", kind, len(items)) + b"".join(data for _, data in items)
    raise TypeError(value)
