"""Which modules int8 leaves in float."""

from fnmatch import fnmatchcase

from anyir.conversion.kept_float import KEPT_FLOAT, is_kept_float
from anyir.model import PRESETS, AnyIR
from anyir.model.deploy.network import to_deploy_pair


def test_ends_norms_and_attention_stay_in_float():
    deployed, _ = to_deploy_pair(AnyIR(PRESETS["small"]), 16, 16)
    for name in (
        "patch_embed",
        "output",
        "encoder.0.0.ffn_norm.centre",
        "latent.1.attention.query.0",
        "down.2",
    ):
        assert is_kept_float(name)
        assert deployed.get_submodule(name)
    for name in (
        "encoder.0.0.ffn.expand.1",
        "encoder.0.0.gate.gamma",
        "latent.1.fuse",
        "up.0.conv",
        "merge.1",
    ):
        assert not is_kept_float(name)
        assert deployed.get_submodule(name)


def test_what_blocks_add_at_full_resolution_stays_in_float():
    for level in ("encoder.0.0", "decoder.2.0", "refinement.3"):
        assert is_kept_float(f"{level}.fuse")
        assert is_kept_float(f"{level}.fuse_sigmoid")
        assert is_kept_float(f"{level}.ffn.project")
    for level in ("encoder.1.0", "decoder.0.0", "decoder.1.2", "latent.0"):
        assert not is_kept_float(f"{level}.fuse")
        assert not is_kept_float(f"{level}.fuse_sigmoid")
        assert not is_kept_float(f"{level}.ffn.project")
    assert not is_kept_float("encoder.0.0.gate.project")


def test_every_pattern_finds_a_module_in_both_entries():
    for entry in to_deploy_pair(AnyIR(PRESETS["tiny"]), 16, 16):
        names = [name for name, _ in entry.named_modules()]
        for pattern in KEPT_FLOAT:
            assert any(fnmatchcase(name, pattern) for name in names), pattern
