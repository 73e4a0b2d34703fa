import Foundation

/// One JSON object whose every entry is asked for by name and type; what was not asked for is refused at the end.
/// Every fault is a ``ManifestError`` that says where.
struct JSONFields {
    private let object: [String: JSONValue]
    private let path: String
    private let asked = Asked()

    /// A class, so that reading an entry changes nothing that the reader sees.
    private final class Asked { var names: Set<String> = [] }

    private init(_ object: [String: JSONValue], _ path: String) {
        self.object = object
        self.path = path
    }

    /// The object that a file holds.
    static func parse(_ data: Data) throws(ManifestError) -> JSONFields {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: data)
        } catch {
            throw ManifestError("The manifest is not valid JSON.")
        }
        guard case .object(let object) = value else { throw ManifestError("The manifest is not a JSON object.") }
        return JSONFields(object, "")
    }

    func has(_ name: String) -> Bool { object[name] != nil }

    func string(_ name: String) throws(ManifestError) -> String { try string(take(name), at: place(name)) }

    func double(_ name: String) throws(ManifestError) -> Double { try double(take(name), at: place(name)) }

    func int(_ name: String) throws(ManifestError) -> Int { try int(take(name), at: place(name)) }

    func oneOf<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _: Choice.Type = Choice.self
    ) throws(ManifestError) -> Choice {
        guard let choice = Choice(rawValue: try string(name)) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(place(name), "is not one of \(names)")
        }
        return choice
    }

    /// The value, or nil where the file says null. The entry itself must be there.
    func orNil<Value>(
        _ name: String, _ read: (String) throws(ManifestError) -> Value
    ) throws(ManifestError) -> Value? {
        if case .null = try take(name) { return nil }
        return try read(name)
    }

    func object(_ name: String) throws(ManifestError) -> [String: JSONValue] {
        guard case .object(let object) = try take(name) else { throw wrong(place(name), "is not an object") }
        return object
    }

    func fields(_ name: String) throws(ManifestError) -> JSONFields { JSONFields(try object(name), place(name)) }

    func list<Value>(
        _ name: String, _ read: (JSONFields) throws(ManifestError) -> Value
    ) throws(ManifestError) -> [Value] {
        try elements(name) { (value, place) throws(ManifestError) in
            guard case .object(let object) = value else { throw wrong(place, "is not an object") }
            return try read(JSONFields(object, place))
        }
    }

    func strings(_ name: String) throws(ManifestError) -> [String] { try elements(name, string) }

    func ints(_ name: String) throws(ManifestError) -> [Int] { try elements(name, int) }

    func doubles(_ name: String) throws(ManifestError) -> [Double] { try elements(name, double) }

    /// Every entry, by name.
    func all<Value>(_ read: (String) throws(ManifestError) -> Value) throws(ManifestError) -> [String: Value] {
        var values: [String: Value] = [:]
        for name in object.keys { values[name] = try read(name) }
        return values
    }

    /// Refuses what was not asked for.
    func end() throws(ManifestError) {
        if let name = object.keys.sorted().first(where: { !asked.names.contains($0) }) {
            throw wrong(place(name), "is unknown")
        }
    }

    private func take(_ name: String) throws(ManifestError) -> JSONValue {
        asked.names.insert(name)
        guard let value = object[name] else { throw wrong(place(name), "is missing") }
        return value
    }

    private func elements<Value>(
        _ name: String, _ read: (JSONValue, String) throws(ManifestError) -> Value
    ) throws(ManifestError) -> [Value] {
        guard case .list(let list) = try take(name) else { throw wrong(place(name), "is not a list") }
        var values: [Value] = []
        for (i, value) in list.enumerated() { values.append(try read(value, "\(place(name)).\(i)")) }
        return values
    }

    private func string(_ value: JSONValue, at place: String) throws(ManifestError) -> String {
        guard case .text(let text) = value else { throw wrong(place, "is not a text") }
        return text
    }

    private func double(_ value: JSONValue, at place: String) throws(ManifestError) -> Double {
        guard case .number(let number) = value else { throw wrong(place, "is not a number") }
        return number
    }

    /// 3 and 3.0 are whole numbers, as in JSON Schema.
    private func int(_ value: JSONValue, at place: String) throws(ManifestError) -> Int {
        let number = try double(value, at: place)
        guard number.rounded() == number else { throw wrong(place, "is not a whole number") }
        guard let whole = Int(exactly: number) else { throw wrong(place, "is out of range") }
        return whole
    }

    private func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func wrong(_ place: String, _ what: String) -> ManifestError {
        ManifestError("The manifest is not by schema \(Manifest.schemaVersion): \(place) \(what).")
    }
}
