"""Runs finished ``.mlpackage`` files on any system, from the file alone: no Core ML and no ``coremltools``.

``reader`` reads a package, ``values`` its numbers, ``decompress`` its compressed weights; ``operators`` and
``moves`` compute, ``evaluator`` puts all together. Source: the MIL specification in ``coremltools`` and the
format of its weight files, ``mlmodel/src/MILBlob/Blob/StorageFormat.hpp``.
"""
