import Foundation

extension Manifest {
    /// Reads a manifest.
    ///
    /// - Throws: ``ManifestError``: no JSON, another schema version, a missing, unknown or wrong entry
    public static func parse(_ data: Data) throws(ManifestError) -> Manifest {
        let fields = try JSONFields.parse(data)
        let version = fields.has("schema_version") ? try fields.int("schema_version") : 1
        guard version == schemaVersion else {
            throw ManifestError(
                "The manifest has schema version \(version) and this app reads version \(schemaVersion): convert the "
                    + "model again.")
        }
        return try Manifest(fields)
    }

    private init(_ fields: JSONFields) throws(ManifestError) {
        name = try fields.string("name")
        file = try fields.string("file")
        sha256 = try fields.string("sha256")
        bytes = try fields.int("bytes")
        source = try Source(fields.fields("source"))
        runtime = try fields.oneOf("runtime")
        backend = try fields.string("backend")
        precision = try fields.string("precision")
        target = try fields.orNil("target", fields.string)
        tile = try fields.int("tile")
        entries = try Entries(fields.fields("entries"))
        quantization = try fields.orNil("quantization") { (name) throws(ManifestError) in
            try Quantization(fields.fields(name))
        }
        parity = try Parity(fields.fields("parity"))
        let versions = try fields.fields("versions")
        self.versions = try versions.all(versions.string)
        codeSha256 = try fields.string("code_sha256")
        seconds = try fields.double("seconds")
        oldestRuntime = fields.has("oldest_runtime") ? try fields.orNil("oldest_runtime", fields.string) : nil
        restoreSize =
            fields.has("restore_size")
            ? try fields.orNil("restore_size") { (name) throws(ManifestError) in try TileSize(fields.fields(name)) }
            : nil
        otherSizes =
            fields.has("other_sizes")
            ? try fields.orNil("other_sizes") { (name) throws(ManifestError) in
                try fields.list(name, Manifest.OtherSize.init)
            } : nil
        try fields.end()
    }
}

extension TileSize {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        self.init(height: try fields.int("height"), width: try fields.int("width"))
        try fields.end()
    }
}

extension Manifest.Source {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        file = try fields.string("file")
        sha256 = try fields.string("sha256")
        preset = try fields.string("preset")
        config = try fields.object("config")
        try fields.end()
    }
}

extension Manifest.Entries {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        look = try Manifest.Entry(fields.fields("look"))
        restore = try Manifest.Entry(fields.fields("restore"))
        try fields.end()
    }
}

extension Manifest.Entry {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        inputs = try fields.list("inputs", Manifest.Tensor.init)
        outputs = try fields.list("outputs", Manifest.Tensor.init)
        operators = try Operators(fields.fields("operators"))
        try fields.end()
    }
}

extension Manifest.Tensor {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        name = try fields.string("name")
        shape = try fields.ints("shape")
        dtype = try fields.string("dtype")
        layout = try fields.string("layout")
        range = try fields.orNil("range", fields.doubles)
        try fields.end()
    }
}

extension Operators {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        total = try fields.int("total")
        delegated = try fields.orNil("delegated", fields.int)
        partitions = try fields.orNil("partitions", fields.int)
        try fields.end()
    }
}

extension Manifest.Quantization {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        method = try fields.string("method")
        bits = try fields.int("bits")
        details = try fields.string("details")
        calibration = try fields.orNil("calibration", fields.string)
        keptFloat = try fields.strings("kept_float")
        try fields.end()
    }
}

extension Manifest.Parity {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        status = try fields.oneOf("status")
        reason = try fields.orNil("reason", fields.string)
        let bounds = try fields.fields("bounds")
        self.bounds = try bounds.all { (name) throws(ManifestError) in try bounds.orNil(name, bounds.double) }
        stages = try fields.list("stages", Manifest.Stage.init)
        degradations = try fields.list("degradations", Manifest.Degradation.init)
        samples = try fields.list("samples", Manifest.Sample.init)
        try fields.end()
    }
}

extension Manifest.OtherSize {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        size = TileSize(height: try fields.int("height"), width: try fields.int("width"))
        parity = try Manifest.Parity(fields.fields("parity"))
        try fields.end()
    }
}

extension Manifest.Stage {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        stage = try fields.string("stage")
        entry = try fields.oneOf("entry")
        against = try fields.string("against")
        maxError = try fields.double("max_error")
        psnr = try fields.orNil("psnr", fields.double)
        try fields.end()
    }
}

extension Manifest.Degradation {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        kind = try fields.string("kind")
        literalPSNR = try fields.double("literal_psnr")
        artifactPSNR = try fields.double("artifact_psnr")
        loss = try fields.double("loss")
        try fields.end()
    }
}

extension Manifest.Sample {
    fileprivate init(_ fields: JSONFields) throws(ManifestError) {
        photo = try fields.int("case")
        values = try fields.doubles("values")
        try fields.end()
    }
}
