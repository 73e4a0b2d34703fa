import pytest

from anyir.conversion.recipes import FLOAT32, RECIPES, Recipe, select_recipes
from anyir.model.config import TileSize


def test_names_are_computed():
    recipe = Recipe("litert", "cpu", "fp16", FLOAT32)
    assert recipe.name == "litert_cpu_fp16"
    assert recipe.file_name("anyir", 256) == "anyir_litert_cpu_fp16_256x256.tflite"
    assert recipe.file_name("anyir", 256, TileSize(256, 256)) == "anyir_litert_cpu_fp16_256x256.tflite"
    rectangle = recipe.file_name("anyir", 256, TileSize(192, 320))
    assert rectangle == "anyir_litert_cpu_fp16_256x256_restore192x320.tflite"
    assert len({r.name for r in RECIPES}) == len(RECIPES)


def test_patterns_select_recipes_in_the_table_s_order():
    assert select_recipes([]) == [recipe for recipe in RECIPES if recipe.default]
    default = [r for r in RECIPES if r.default]
    names = [r.name for r in select_recipes(["litert_*", "*_fp32"])]
    assert names == [r.name for r in default if r.runtime == "litert" or r.precision == "fp32"]


def test_a_pattern_that_no_default_recipe_fits_selects_the_others():
    assert [r.name for r in select_recipes(["*_mixed", "executorch_xnnpack_fp32"])] == [
        "executorch_xnnpack_fp32",
        "executorch_xnnpack_mixed",
        "litert_cpu_mixed",
    ]
    assert {r.backend for r in select_recipes(["litert_gpu_*"])} == {"gpu"}
    assert select_recipes([recipe.name for recipe in RECIPES]) == list(RECIPES)


def test_a_pattern_without_a_recipe_lists_them_all():
    with pytest.raises(ValueError, match="litert_npu") as caught:
        select_recipes(["litert_*", "litert_npu_*"])
    assert all(recipe.name in str(caught.value) for recipe in RECIPES)
