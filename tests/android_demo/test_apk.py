"""The signed APK that `make apk` builds: its signature, manifest, permissions, classes and contents."""

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANDROID = ROOT / "android_demo"
SCRIPT = ANDROID / "apk/make_apk.py"
NEEDED = ("mvn", "javac", "keytool", "zipalign", "apksigner", "dexdump")
AAPT2 = ANDROID / "app/target/tools/prebuilt/linux/aapt2_64"  # Maven has put it there


def load_script():
    specification = importlib.util.spec_from_file_location("make_apk", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def output(*command):
    result = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, errors="replace", timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    """As `anyir android stage` leaves them; what the files hold makes no difference to packing them."""
    folder = tmp_path_factory.mktemp("assets")
    (folder / "models").mkdir()
    (folder / "reference").mkdir()
    for name in ("models/some.tflite", "models/some.json", "models/other.pte", "reference/inputs.u8"):
        (folder / name).write_bytes(name.encode() * 1000)
    (folder / ".hidden").write_text("not packed")
    return folder


@pytest.fixture(scope="module")
def apk(assets, tmp_path_factory):
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian has them: see .ci/run)")
    folder = tmp_path_factory.mktemp("apk")
    command = [sys.executable, SCRIPT, folder / "demo.apk", "--assets", assets, "--keystore", folder / "key"]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.fullmatch(r".*demo\.apk: [\d.]+ MB, 2 models", result.stdout.strip())
    assert sorted(path.name for path in folder.iterdir()) == ["demo.apk", "key"]
    return folder / "demo.apk"


@pytest.fixture(scope="module")
def code(apk, tmp_path_factory):
    """All bytecode of the APK, disassembled: of every classesN.dex."""
    folder = tmp_path_factory.mktemp("dex")
    with zipfile.ZipFile(apk) as archive:
        dexes = [name for name in archive.namelist() if re.fullmatch(r"classes\d*\.dex", name)]
        archive.extractall(folder, dexes)
    assert "classes.dex" in dexes
    return "".join(output("dexdump", "-d", folder / name) for name in dexes)


@pytest.fixture(scope="module")
def classes(code):
    """Every class in the APK, as Kotlin names it."""
    return {name.replace("/", ".") for name in re.findall(r"Class descriptor\s*: 'L(.+);'", code)}


def test_what_is_hidden_is_not_packed(assets, tmp_path, monkeypatch):
    make_apk = load_script()
    monkeypatch.setattr(make_apk, "ANDROID", tmp_path)
    (tmp_path / "app/target").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "app/target/resources.apk", "w"):
        pass
    copy = shutil.copytree(assets, tmp_path / ".checkout/assets")  # a dot above the assets hides nothing
    (copy / ".staging-killed/models").mkdir(parents=True)
    (copy / ".staging-killed/models/half.tflite").write_text("half a program")
    assert make_apk.pack(tmp_path / "a.apk", [], {}, copy) == ["other", "some"]
    with zipfile.ZipFile(tmp_path / "a.apk") as archive:
        assert sorted(archive.namelist()) == [
            *("assets/models/other.pte", "assets/models/some.json", "assets/models/some.tflite"),
            "assets/reference/inputs.u8",
        ]


def test_it_is_signed_and_aligned(apk):
    verified = output("apksigner", "verify", "--verbose", "--min-sdk-version", "26", apk)
    assert "Verified using v2 scheme (APK Signature Scheme v2): true" in verified
    output("zipalign", "-c", "-p", "4", apk)


def test_a_byte_that_changed_is_noticed(apk, tmp_path):
    data = bytearray(apk.read_bytes())
    place = data.index(b"models/some.tflite" * 3)
    data[place] ^= 1
    (tmp_path / "changed.apk").write_bytes(data)
    result = subprocess.run(["apksigner", "verify", tmp_path / "changed.apk"], capture_output=True)
    assert result.returncode != 0


def test_it_installs_on_android_8_and_asks_for_no_network(apk):
    badging = output(AAPT2, "dump", "badging", apk)
    assert "package: name='org.anyir.demo'" in badging
    assert "minSdkVersion:'26'" in badging
    assert "targetSdkVersion:'35'" in badging
    assert "launchable-activity: name='org.anyir.demo.ui.MainActivity'" in badging
    permissions = set(re.findall(r"uses-permission: name='([^']+)'", badging))
    assert permissions <= {
        "android.permission.FOREGROUND_SERVICE",
        "android.permission.FOREGROUND_SERVICE_DATA_SYNC",
        "android.permission.POST_NOTIFICATIONS",
        "android.permission.WAKE_LOCK",
        "android.permission.WRITE_EXTERNAL_STORAGE",  # before Android 10, to save a picture
        "android.permission.READ_EXTERNAL_STORAGE",  # implied by the one above
    }


def test_every_component_of_the_manifest_is_a_class(apk, classes):
    tree = output(AAPT2, "dump", "xmltree", "--file", "AndroidManifest.xml", apk)
    kinds = r"(?:activity|service|provider|receiver|application|activity-alias)"
    pattern = rf"E: ({kinds}) .*?\n((?:\s+A: .*\n)*)"
    components = set()
    for _, attributes in re.findall(pattern, tree):
        components.update(re.findall(r':(?:name|targetActivity)\(0x\w+\)="([^"]+)"', attributes))
    assert {"org.anyir.demo.ui.MainActivity", "org.anyir.demo.BenchmarkActivity"} <= components
    assert {f"org.anyir.demo.benchmark.BenchmarkService{i}" for i in range(4)} <= components
    assert components <= classes


def test_each_benchmark_service_has_a_process_of_its_own(apk):
    """So that a program's memory is its own, and its crash ends nothing else; the app's screens share one."""
    tree = output(AAPT2, "dump", "xmltree", "--file", "AndroidManifest.xml", apk)
    elements = re.findall(r"E: \w+ .*?\n((?:\s+A: .*\n)*)", tree)
    processes = {}
    for attributes in elements:
        named = dict(re.findall(r':(name|process)\(0x\w+\)="([^"]+)"', attributes))
        if "process" in named:
            processes[named["name"]] = named["process"]
    assert processes == {f"org.anyir.demo.benchmark.BenchmarkService{i}": f":bench{i}" for i in range(4)}


def test_what_only_has_a_signature_here_is_not_packed(classes):
    folder = ANDROID / "signatures/target/classes"
    signatures = {p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.class")}
    signatures = {name.replace("/", ".") for name in signatures}
    assert any(name.startswith("org.pytorch.executorch.") for name in signatures)
    assert any(name.startswith("com.google.ai.edge.litert.") for name in signatures)
    assert classes.isdisjoint(signatures)
    assert {"org.tensorflow.lite.Interpreter", "org.anyir.core.PhotoRestorer", "kotlin.Unit"} <= classes
    assert not any(name.startswith(("android.", "org.robolectric.", "org.junit.")) for name in classes)


def test_it_calls_no_method_that_android_8_lacks(code):
    """Buffers' methods return their own class since Java 9; Android 8 has the older ones."""
    own = re.findall(r"Ljava/nio/\w+Buffer;\.(?:clear|flip|rewind|position|limit):\(I?\)(\S+)", code)
    assert own
    assert set(own) <= {"Ljava/nio/Buffer;", "I"}


def test_lambdas_of_libraries_are_classes(code):
    """Android lacks what makes lambdas in a JVM: kotlin-stdlib's and Gson's would end the app."""
    assert "invoke-virtual" in code
    assert "invoke-custom" not in code


CHECK = """
import com.google.gson.*;
import java.util.*;
import kotlin.comparisons.ComparisonsKt;

public class Check {
    public static void main(String[] names) throws Exception {
        for (String name : names) Class.forName(name, true, Check.class.getClassLoader());
        Map<?, ?> map = new GsonBuilder().serializeNulls().create()
            .fromJson("{\\"b\\": [1, 2.5, null], \\"a\\": {\\"c\\": true}}", Map.class);
        List<String> words = new ArrayList<>(List.of("pear", "fig", "banana"));
        words.sort(ComparisonsKt.compareBy(String::length, word -> word));
        var own = new kotlin.collections.AbstractList<Integer>() {
            public int getSize() { return 3; }
            public Integer get(int index) { return 10 * index; }
        };
        System.out.println(new Gson().toJson(map) + " " + words + " " + own);
    }
}
"""


def test_classes_without_lambdas_do_what_they_did(apk, tmp_path):
    """The JVM verifies each class that took a lambda's place, and runs some of them."""
    make_apk = load_script()
    jars = sorted((ANDROID / "apk/target/jars").glob("*.jar"))
    make_apk.desugar(jars, tmp_path / "classes.jar")
    with zipfile.ZipFile(tmp_path / "classes.jar") as archive:
        names = [name[:-6].replace("/", ".") for name in archive.namelist() if "$$Lambda$" in name]
    assert len(names) > 50
    (tmp_path / "Check.java").write_text(CHECK)
    printed = output("java", "-Xverify:all", "-cp", tmp_path / "classes.jar", tmp_path / "Check.java", *names)
    assert printed == '{"b":[1.0,2.5,null],"a":{"c":true}} [fig, pear, banana] [0, 10, 20]\n'


def test_programs_lie_uncompressed_and_libraries_for_both_processors(apk, assets):
    with zipfile.ZipFile(apk) as archive:
        names = archive.namelist()
        packed = {name for name in names if name.startswith("assets/")}
        staged = {p.relative_to(assets).as_posix() for p in assets.rglob("*") if p.is_file()} - {".hidden"}
        assert packed == {f"assets/{name}" for name in staged}
        for name in staged:
            assert archive.read(f"assets/{name}") == (assets / name).read_bytes()
        for name in ("assets/models/some.tflite", "assets/models/other.pte", "resources.arsc"):
            assert archive.getinfo(name).compress_type == zipfile.ZIP_STORED
    for abi in ("arm64-v8a", "x86_64"):
        assert f"lib/{abi}/libtensorflowlite_jni.so" in names
    assert apk.stat().st_size < 15e6


@pytest.mark.parametrize("tool", ["mvn", "zipalign", "apksigner", "keytool"])
def test_a_tool_that_is_missing_is_one_line(tool, tmp_path):
    """With a PATH that has everything but the one."""
    for name in ("mvn", "javac", "keytool", "zipalign", "apksigner"):
        if name != tool:
            (tmp_path / name).symlink_to("/bin/true")
    result = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "demo.apk"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"make apk: {tool} is not installed (Debian: apt-get install ")
    assert result.stderr.strip().count("\n") == 0
    assert not (tmp_path / "demo.apk").exists()
