"""The literal network against plain numpy transcriptions of the paper's lines, in float64.

The transcriptions use channels-last arrays, loops and einsum, and share no code with the network.
"""

import json
import math

import numpy as np
import pytest
import torch
from scipy.special import erf, expit, softmax
from torch import nn

from anyir.model import PRESETS, AnyIR, AnyIRConfig
from anyir.model.evaluation.complexity import PAPER_MULTIPLY_ADDS, PAPER_PARAMETERS, measure_complexity
from anyir.model.network import DAB, Attention, ChannelNorm, FeedForward, Fusion, GatedDA
from tests.helpers.random_weights import randomised


def feature(channels, height=10, width=7, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, height, width, generator=generator, dtype=torch.float64)


def hwc(tensor):
    return tensor[0].permute(1, 2, 0).detach().numpy()


def weights(module):
    return {name: value.detach().numpy() for name, value in module.state_dict().items()}


def pointwise(x, w):  # (H, W, I), (O, I, 1, 1)
    return np.einsum("hwi,oi->hwo", x, w[:, :, 0, 0])


def depthwise(x, w):  # (H, W, C), (C, 1, k, k); zero padding
    k = w.shape[-1]
    padded = np.pad(x, ((k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    out = np.zeros_like(x)
    for dy in range(k):
        for dx in range(k):
            out += padded[dy : dy + x.shape[0], dx : dx + x.shape[1]] * w[:, 0, dy, dx]
    return out


def norm(x, w, b):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * w + b


def gelu(x):
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def transcribed_attention(x, w, heads):  # equation 2, with MDTA's learnable scale
    h, wd, c = x.shape
    qkv = depthwise(pointwise(x, w["qkv.weight"]), w["qkv_depthwise.weight"]).reshape(-1, 3 * c)
    out = np.zeros((h * wd, c))
    size = c // heads
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        q, k, v = (qkv[:, i * c : (i + 1) * c][:, part] for i in range(3))
        q, k = q / np.linalg.norm(q, axis=0), k / np.linalg.norm(k, axis=0)
        attention = softmax(q.T @ k * w["temperature"][head, 0, 0], axis=1)
        out[:, part] = v @ attention.T
    return pointwise(out.reshape(h, wd, c), w["project.weight"])


def transcribed_gated_da(x, w, parts):  # algorithm 1
    c = x.shape[-1]
    alpha_n, beta_n, gamma_n = (p * c for p in parts)
    f_hat = norm(x, w["norm.weight"], w["norm.bias"])  # 1
    mu = f_hat.mean((0, 1))  # 2
    sigma = np.sqrt(((f_hat - mu) ** 2).mean((0, 1)))
    delta = expit(mu + sigma)  # 3
    tau_adj = w["tau"] * delta  # 4
    expanded = pointwise(f_hat, w["expand.weight"])  # 5
    gamma = expanded[..., :gamma_n]  # 6
    beta = expanded[..., gamma_n : gamma_n + beta_n]
    alpha = expanded[..., gamma_n + beta_n :]
    if alpha_n:  # 7
        alpha = depthwise(alpha, w["depthwise.weight"]) * (1 + np.tile(tau_adj, alpha_n // c))
    joined = np.concatenate([beta, alpha], -1)
    gated = pointwise((gelu(gamma) if gamma_n else 1) * joined, w["gate.weight"])  # 8
    return pointwise(gated + x, w["project.weight"])  # 9


def transcribed_fusion(a, g, lam):  # algorithm 2
    spatial = np.concatenate([a + expit(g), g + expit(a)], -1)
    spectrum = np.fft.rfft2(a, axes=(0, 1)) + np.fft.rfft2(g, axes=(0, 1))
    frequency = np.fft.irfft2(spectrum, s=a.shape[:2], axes=(0, 1))
    return lam * spatial + (1 - lam) * np.concatenate([frequency, frequency], -1)


def close(network_output, transcription):
    np.testing.assert_allclose(hwc(network_output), transcription, rtol=0, atol=1e-10)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_equation_2(heads):
    module, x = randomised(Attention(8, heads)), feature(8)
    close(module(x), transcribed_attention(hwc(x), weights(module), heads))


@pytest.mark.parametrize("parts", [(1, 1, 2), (0, 2, 2), (2, 0, 2), (2, 2, 0)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_gated_da_is_algorithm_1(parts, kernel):
    module, x = randomised(GatedDA(6, parts, kernel)), feature(6)
    # The network adds 1e-12 to the variance, for the slope of the root: 1e-12 / (2 sigma) here.
    close(module(x), transcribed_gated_da(hwc(x), weights(module), parts))


def test_fusion_is_algorithm_2():
    module = randomised(Fusion())
    a, g = feature(5, seed=1), feature(5, seed=2)
    close(module(a, g), transcribed_fusion(hwc(a), hwc(g), weights(module)["weight"]))


@pytest.mark.parametrize("split", ["skip", "half"])
def test_dab_is_equations_1_3_4(split):
    config = AnyIRConfig(split=split)
    module, x = randomised(DAB(12, 2, config)), feature(12)
    w, f_in = weights(module), hwc(x)

    def part(prefix):
        return {k.removeprefix(prefix): v for k, v in w.items() if k.startswith(prefix)}

    # Equation 1 counts channels from 1: the odd ones (2k - 1) go to attention.
    odd = [2 * k - 1 for k in range(1, 7)] if split == "skip" else list(range(1, 7))
    even = [n for n in range(1, 13) if n not in odd]
    f_att = f_in[..., [n - 1 for n in odd]]
    f_gate = f_in[..., [n - 1 for n in even]]
    normed = norm(f_att, w["attention_norm.weight"], w["attention_norm.bias"])
    out_att = transcribed_attention(normed, part("attention."), 2)
    out_gate = transcribed_gated_da(f_gate, part("gated_da."), config.gate_parts)
    fused = transcribed_fusion(out_att, out_gate, w["fusion.weight"])
    f_fuse = pointwise(fused, w["fuse.weight"]) + f_in  # equation 4
    ffn = part("ffn.")
    hidden = depthwise(
        pointwise(norm(f_fuse, w["ffn_norm.weight"], w["ffn_norm.bias"]), ffn["expand.weight"]),
        ffn["depthwise.weight"],
    )
    half = hidden.shape[-1] // 2
    f_ffn = pointwise(gelu(hidden[..., :half]) * hidden[..., half:], ffn["project.weight"])
    close(module(x), f_ffn + f_fuse)  # equation 3


def test_norm_agrees_with_torch():
    module, x = randomised(ChannelNorm(6)), feature(6)
    expected = torch.nn.functional.layer_norm(
        x.permute(0, 2, 3, 1), (6,), module.weight, module.bias, eps=1e-5
    )
    torch.testing.assert_close(module(x), expected.permute(0, 3, 1, 2), rtol=0, atol=1e-12)


def test_feed_forward_width():
    assert FeedForward(24, 2.66).project.weight.shape == (24, 63, 1, 1)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_run_and_keep_the_size(preset):
    network = AnyIR(PRESETS[preset]).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 24, 40)).shape == (1, 3, 24, 40)


def test_additive_fusion_is_the_same_function():
    network = randomised(AnyIR(PRESETS["tiny"]))
    image = torch.rand(1, 3, 40, 24, dtype=torch.float64)
    with torch.inference_mode():
        literal = network(image)
        additive = network.use_additive_fusion()(image)
    # These random weights make values of up to 1e6, of which float64 keeps 16 digits.
    assert (additive - literal).abs().max() < 1e-12 * literal.abs().max()


def test_complexity_is_the_papers():
    measured = measure_complexity("anyir", PRESETS["anyir"])
    assert measured.parameters == pytest.approx(PAPER_PARAMETERS, rel=0.02)
    assert measured.multiply_adds == pytest.approx(PAPER_MULTIPLY_ADDS, rel=0.02)


def test_flop_counter_counts_a_convolution_as_its_formula(monkeypatch):
    def convolution(config):
        return nn.Conv2d(3, 8, (5, 3), padding=(2, 1), bias=False)

    monkeypatch.setattr("anyir.model.network.AnyIR", convolution)
    measured = measure_complexity("tiny", PRESETS["tiny"], 24, 40)
    assert measured.multiply_adds == 24 * 40 * 8 * 3 * 5 * 3
    assert measured.parameters == 8 * 3 * 5 * 3


def test_work_is_the_same_for_every_pixel():
    config = PRESETS["tiny"]
    two = measure_complexity("tiny", config, 64, 64).multiply_adds
    one = measure_complexity("tiny", config, 64, 32).multiply_adds
    # Per pixel the work is constant, but for the products of attention and W_o, which are too.
    assert two == 2 * one


def test_config_round_trip_and_errors():
    config = PRESETS["phone"]
    assert AnyIRConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(ValueError, match="unknown config key 'depth'"):
        AnyIRConfig.from_dict({**config.to_dict(), "depth": 3})
    with pytest.raises(ValueError, match="heads"):
        AnyIRConfig(dim=24, heads=(5, 2, 4, 8))
    with pytest.raises(ValueError, match="gamma"):
        AnyIRConfig(gate_parts=(1, 1, 3))
