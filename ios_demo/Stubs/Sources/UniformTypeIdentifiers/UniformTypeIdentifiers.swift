// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct
public struct UTType: Hashable, Sendable {
    let identifier: String
    // https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/image
    public static let image = UTType(identifier: "public.image")
}
