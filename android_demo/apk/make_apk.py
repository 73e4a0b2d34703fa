"""Builds a signed APK with a JDK, Maven and Debian's zipalign and apksigner: python make_apk.py OUT.apk

Maven compiles and gathers; this packs. The key is a debug key, made where there is none: a phone takes the
APK by `adb install`, and takes an update of it only with the same key (build/debug.keystore).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ANDROID = Path(__file__).resolve().parents[1]
LIBRARIES = ANDROID / "apk/target/tools"
ABIS = ("arm64-v8a", "x86_64")
STORED = (".tflite", ".pte", ".png", ".jpg", ".webp")
"""What lies in the APK as it is: programs, and what is compressed already."""
TOOLS = {
    "mvn": "maven",
    "javac": "openjdk-17-jdk-headless",
    "keytool": "openjdk-17-jdk-headless",
    "zipalign": "zipalign",
    "apksigner": "apksigner",
}
"""Program -> Debian's package that has it."""
PASSWORD = "android"  # as every Android debug key has


class BuildError(Exception):
    """One line: what is missing or which step failed."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Build a signed APK of the Android app.")
    parser.add_argument("out", type=Path, help="the APK to write")
    parser.add_argument("--assets", type=Path, default=ANDROID / "app/src/main/assets")
    parser.add_argument("--keystore", type=Path, default=ANDROID.parent / "build/debug.keystore")
    arguments = parser.parse_args()
    try:
        models = build(arguments.out, arguments.assets, arguments.keystore)
    except BuildError as error:
        sys.exit(f"make apk: {error}")
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size:.1f} MB, {len(models)} models")
    if not models:
        print("It holds no models: `anyir android stage` puts them in, `adb push` adds them on the phone.")


def build(out: Path, assets: Path, keystore: Path) -> list[str]:
    """Compile, pack, align and sign; returns the names of the models inside.

    Raises:
        BuildError: a tool is missing, a step failed, or ``out`` is a folder.
    """
    check_tools()
    if out.is_dir():
        raise BuildError(f"{out} is a folder; name a file")
    out.parent.mkdir(parents=True, exist_ok=True)
    options = ("-DskipTests", "-Dktlint.skip", "-Daapt2.options=--debug-mode")
    run("mvn", "--quiet", "--no-transfer-progress", "--file", ANDROID / "pom.xml", "package", *options)
    with tempfile.TemporaryDirectory(prefix="anyir-apk-") as name:
        work = Path(name)
        jars = sorted((ANDROID / "apk/target/jars").glob("*.jar"))
        dexes = compile_dex(jars, work)
        packed = work / "packed.apk"
        models = pack(packed, dexes, native_libraries(jars), assets)
        aligned, signed = work / "aligned.apk", work / "signed.apk"
        run("zipalign", "-f", "-p", "4", packed, aligned)
        make_key(keystore)
        key = ("--ks", keystore, "--ks-pass", f"pass:{PASSWORD}", "--min-sdk-version", "26")
        run("apksigner", "sign", *key, "--out", signed, aligned)
        beside = out.with_name(f".{out.name}.part")
        shutil.copyfile(signed, beside)
        os.replace(beside, out)
    return models


def check_tools() -> None:
    """Raises:
    BuildError: names the first tool that is missing and the package that has it.
    """
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is not installed (Debian: apt-get install {package})")
    printed = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', printed)
    if found is None or int(found[1]) < 17:
        raise BuildError(f"a JDK 17 is due, and java is {found[1] if found else 'unknown'}")


def compile_dex(jars: list[Path], work: Path) -> list[Path]:
    """All classes as Android's bytecode."""
    classes, dex = work / "classes.jar", work / "dex"
    dex.mkdir()
    desugar(jars, classes)
    dx = ("java", "-Xmx2g", "-cp", LIBRARIES / "dx.jar", "com.android.dx.command.Main")
    run(*dx, "--dex", "--min-sdk-version=26", "--multi-dex", f"--output={dex}", classes)
    return sorted(dex.glob("*.dex"))


def desugar(jars: list[Path], out: Path) -> None:
    """All classes in one jar, with classes in place of the lambdas that only a JVM can make.

    The jars' META-INF is left out: dx refuses classes for other Java versions there.
    """
    joined, seen = out.with_suffix(".in.jar"), set[str]()
    with zipfile.ZipFile(joined, "w") as archive:
        for jar in jars:
            with zipfile.ZipFile(jar) as source:
                for entry in source.namelist():
                    wanted = entry.endswith(".class") and not entry.startswith("META-INF/")
                    if wanted and entry != "module-info.class" and entry not in seen:
                        seen.add(entry)
                        archive.writestr(entry, source.read(entry))
    asm = os.pathsep.join(str(path) for path in sorted(LIBRARIES.glob("asm*.jar")))
    run("java", "-cp", asm, ANDROID / "apk/Desugar.java", joined, out)
    joined.unlink()


def native_libraries(jars: list[Path]) -> dict[str, Path]:
    """Libraries of the Android archives whose classes are packed: path in the APK -> file."""
    found = {}
    for folder in (ANDROID / "libs/target/aar").iterdir():
        if any(re.fullmatch(rf"libs-[\d.]+-{re.escape(folder.name)}\.jar", jar.name) for jar in jars):
            for abi in ABIS:
                for library in sorted((folder / "jni" / abi).glob("*.so")):
                    found[f"lib/{abi}/{library.name}"] = library
    return found


def pack(out: Path, dexes: list[Path], libraries: dict[str, Path], assets: Path) -> list[str]:
    """Resources, manifest, bytecode, libraries and assets in one archive; returns the models' names."""
    models = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as apk:
        with zipfile.ZipFile(ANDROID / "app/target/resources.apk") as resources:
            for info in resources.infolist():
                apk.writestr(info.filename, resources.read(info), compress_type=info.compress_type)
        for dex in dexes:
            apk.write(dex, dex.name)
        for name, path in libraries.items():
            apk.write(path, name)
        for path in sorted(assets.rglob("*")) if assets.is_dir() else []:
            inside = path.relative_to(assets)
            # Hidden are also the files of a folder that an interrupted stage left.
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                stored = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
                name = inside.as_posix()
                apk.write(path, f"assets/{name}", compress_type=stored)
                if name.startswith("models/") and path.suffix in (".tflite", ".pte"):
                    models.append(path.stem)
    return models


def make_key(keystore: Path) -> None:
    """A debug key, unless there is one."""
    if keystore.exists():
        return
    keystore.parent.mkdir(parents=True, exist_ok=True)
    beside = keystore.with_name(f".{keystore.name}.part")
    beside.unlink(missing_ok=True)
    what = ("-alias", "androiddebugkey", "-keyalg", "RSA", "-keysize", "2048", "-validity", "10000")
    secret = ("-storepass", PASSWORD, "-keypass", PASSWORD)
    run("keytool", "-genkeypair", "-keystore", beside, *what, *secret, "-dname", "CN=Android Debug")
    os.replace(beside, keystore)


def run(*command: str | Path) -> None:
    """Raises:
    BuildError: the command failed; with its last line.
    """
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line or "error" in line] or lines[-1:]
        said = f": {errors[0].strip()}" if errors else ""
        raise BuildError(f"{command[0]} failed with exit code {result.returncode}{said}")


if __name__ == "__main__":
    main()
