import Foundation

// https://developer.apple.com/documentation/swiftui/shapestyle
public protocol ShapeStyle: Sendable {}
// https://developer.apple.com/documentation/swiftui/color
public struct Color: StubView, ShapeStyle, Hashable, Sendable {
    // https://developer.apple.com/documentation/swiftui/color/init(_:bundle:)
    nonisolated public init(_ name: String, bundle: Bundle? = nil) {}
    // https://developer.apple.com/documentation/swiftui/color/white
    nonisolated public static let white = Color("")
    // https://developer.apple.com/documentation/swiftui/color/black
    nonisolated public static let black = Color("")
    // https://developer.apple.com/documentation/swiftui/color/red
    nonisolated public static let red = Color("")
    // https://developer.apple.com/documentation/swiftui/color/opacity(_:)
    nonisolated public func opacity(_ opacity: Double) -> Color { self }
}
extension ShapeStyle where Self == Color {
    // https://developer.apple.com/documentation/swiftui/shapestyle/white
    nonisolated public static var white: Color { .white }
    // https://developer.apple.com/documentation/swiftui/shapestyle/black
    nonisolated public static var black: Color { .black }
    // https://developer.apple.com/documentation/swiftui/shapestyle/red
    nonisolated public static var red: Color { .red }
}
// https://developer.apple.com/documentation/swiftui/hierarchicalshapestyle
public struct HierarchicalShapeStyle: ShapeStyle {}
extension ShapeStyle where Self == HierarchicalShapeStyle {
    // https://developer.apple.com/documentation/swiftui/shapestyle/primary
    public static var primary: HierarchicalShapeStyle { HierarchicalShapeStyle() }
    // https://developer.apple.com/documentation/swiftui/shapestyle/secondary
    public static var secondary: HierarchicalShapeStyle { HierarchicalShapeStyle() }
}
// https://developer.apple.com/documentation/swiftui/shape
public protocol Shape: Sendable {}
// https://developer.apple.com/documentation/swiftui/insettableshape
public protocol InsettableShape: Shape {}
// https://developer.apple.com/documentation/swiftui/rectangle
public struct Rectangle: InsettableShape {
    nonisolated public init() {}
}
// https://developer.apple.com/documentation/swiftui/capsule
public struct Capsule: InsettableShape {
    nonisolated public init() {}
}
// https://developer.apple.com/documentation/swiftui/path
public struct Path: Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/path/init(_:)-7hnrk
    nonisolated public init(_ rect: CGRect) {}
    // https://developer.apple.com/documentation/swiftui/path/init(ellipsein:)
    nonisolated public init(ellipseIn rect: CGRect) {}
}
// https://developer.apple.com/documentation/swiftui/fillstyle
public struct FillStyle: Equatable, Sendable {
    nonisolated public init(eoFill: Bool = false, antialiased: Bool = true) {}
}
// https://developer.apple.com/documentation/swiftui/colorrenderingmode
public enum ColorRenderingMode: Sendable {
    case nonLinear
}
// https://developer.apple.com/documentation/swiftui/canvas
public struct Canvas<Symbols: View>: StubView {}
extension Canvas where Symbols == EmptyView {
    // https://developer.apple.com/documentation/swiftui/canvas/init(opaque:colormode:rendersasynchronously:renderer:)
    nonisolated public init(
        opaque: Bool = false, colorMode: ColorRenderingMode = .nonLinear, rendersAsynchronously: Bool = false,
        renderer: @escaping (inout GraphicsContext, CGSize) -> Void
    ) {}
}
// https://developer.apple.com/documentation/swiftui/graphicscontext
public struct GraphicsContext {
    // https://developer.apple.com/documentation/swiftui/graphicscontext/opacity
    public var opacity: Double
    // https://developer.apple.com/documentation/swiftui/graphicscontext/draw(_:in:style:)-blhz
    public func draw(_ image: Image, in rect: CGRect, style: FillStyle = FillStyle()) {}
    // https://developer.apple.com/documentation/swiftui/graphicscontext/drawlayer(content:)
    public func drawLayer(content: (inout GraphicsContext) throws -> Void) rethrows {}
    // https://developer.apple.com/documentation/swiftui/graphicscontext/clip(to:style:options:)
    public mutating func clip(
        to path: Path, style: FillStyle = FillStyle(), options: GraphicsContext.ClipOptions = ClipOptions()
    ) {}
    // https://developer.apple.com/documentation/swiftui/graphicscontext/clipoptions
    public struct ClipOptions: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
    }
    // https://developer.apple.com/documentation/swiftui/graphicscontext/fill(_:with:style:)
    public func fill(_ path: Path, with shading: GraphicsContext.Shading, style: FillStyle = FillStyle()) {}
    // https://developer.apple.com/documentation/swiftui/graphicscontext/shading
    public struct Shading: Sendable {
        // https://developer.apple.com/documentation/swiftui/graphicscontext/shading/color(_:)
        public static func color(_ color: Color) -> GraphicsContext.Shading { Shading() }
    }
}
