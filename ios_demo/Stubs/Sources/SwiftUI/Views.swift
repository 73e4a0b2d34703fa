import Foundation

// https://developer.apple.com/documentation/swiftui/text
public struct Text: StubView, Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/text/init(_:)-9d1g4
    nonisolated public init<S: StringProtocol>(_ content: S) {}
    // https://developer.apple.com/documentation/swiftui/text/bold()
    nonisolated public func bold() -> Text { self }
    // https://developer.apple.com/documentation/swiftui/text/font(_:)
    nonisolated public func font(_ font: Font?) -> Text { self }
    // https://developer.apple.com/documentation/swiftui/text/foregroundstyle(_:)
    nonisolated public func foregroundStyle<S: ShapeStyle>(_ style: S) -> Text { self }
}

// https://developer.apple.com/documentation/swiftui/font
public struct Font: Hashable, Sendable {
    // https://developer.apple.com/documentation/swiftui/font/title2
    public static let title2 = Font()
    // https://developer.apple.com/documentation/swiftui/font/headline
    public static let headline = Font()
    // https://developer.apple.com/documentation/swiftui/font/footnote
    public static let footnote = Font()
    // https://developer.apple.com/documentation/swiftui/font/caption
    public static let caption = Font()
}

// https://developer.apple.com/documentation/swiftui/image
public struct Image: StubView, Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/image/init(systemname:)
    nonisolated public init(systemName: String) {}
    // https://developer.apple.com/documentation/swiftui/image/init(decorative:scale:orientation:)
    nonisolated public init(decorative cgImage: CGImage, scale: CGFloat, orientation: Image.Orientation = .up) {}
    // https://developer.apple.com/documentation/swiftui/image/orientation
    public enum Orientation: UInt8, Sendable {
        case up
    }
}

// https://developer.apple.com/documentation/swiftui/label
public struct Label<Title: View, Icon: View>: StubView {}
extension Label where Title == Text, Icon == Image {
    // https://developer.apple.com/documentation/swiftui/label/init(_:systemimage:)
    nonisolated public init<S: StringProtocol>(_ title: S, systemImage name: String) {}
}

// https://developer.apple.com/documentation/swiftui/buttonrole
public struct ButtonRole: Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/buttonrole/destructive
    public static let destructive = ButtonRole()
    // https://developer.apple.com/documentation/swiftui/buttonrole/cancel
    public static let cancel = ButtonRole()
}

// https://developer.apple.com/documentation/swiftui/button
public struct Button<Label: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/button/init(action:label:)
    @preconcurrency
    nonisolated public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Label) {}
}
extension Button where Label == Text {
    // https://developer.apple.com/documentation/swiftui/button/init(_:action:)
    @preconcurrency
    nonisolated public init<S: StringProtocol>(_ title: S, action: @escaping @MainActor () -> Void) {}
    // https://developer.apple.com/documentation/swiftui/button/init(_:role:action:)
    @preconcurrency
    nonisolated public init<S: StringProtocol>(_ title: S, role: ButtonRole?, action: @escaping @MainActor () -> Void) {
    }
}
extension Button where Label == SwiftUI.Label<Text, Image> {
    // https://developer.apple.com/documentation/swiftui/button/init(_:systemimage:action:)
    @preconcurrency
    nonisolated public init<S: StringProtocol>(
        _ title: S, systemImage: String, action: @escaping @MainActor () -> Void
    ) {}
}

// https://developer.apple.com/documentation/swiftui/primitivebuttonstyle
@MainActor @preconcurrency
public protocol PrimitiveButtonStyle {}
// https://developer.apple.com/documentation/swiftui/borderedbuttonstyle
public struct BorderedButtonStyle: PrimitiveButtonStyle {}
// https://developer.apple.com/documentation/swiftui/borderedprominentbuttonstyle
public struct BorderedProminentButtonStyle: PrimitiveButtonStyle {}
extension PrimitiveButtonStyle where Self == BorderedButtonStyle {
    // https://developer.apple.com/documentation/swiftui/primitivebuttonstyle/bordered
    public static var bordered: BorderedButtonStyle { BorderedButtonStyle() }
}
extension PrimitiveButtonStyle where Self == BorderedProminentButtonStyle {
    // https://developer.apple.com/documentation/swiftui/primitivebuttonstyle/borderedprominent
    public static var borderedProminent: BorderedProminentButtonStyle { BorderedProminentButtonStyle() }
}

// https://developer.apple.com/documentation/swiftui/slider
public struct Slider<Label: View, ValueLabel: View>: StubView {}
extension Slider where ValueLabel == EmptyView {
    // https://developer.apple.com/documentation/swiftui/slider/init(value:in:step:label:oneditingchanged:)
    nonisolated public init<V: BinaryFloatingPoint>(
        value: Binding<V>, in bounds: ClosedRange<V>, step: V.Stride = 1, @ViewBuilder label: () -> Label,
        onEditingChanged: @escaping (Bool) -> Void = { _ in }
    ) where V.Stride: BinaryFloatingPoint {}
}

// https://developer.apple.com/documentation/swiftui/progressview
public struct ProgressView<Label: View, CurrentValueLabel: View>: StubView {}
extension ProgressView where CurrentValueLabel == EmptyView, Label == EmptyView {
    // https://developer.apple.com/documentation/swiftui/progressview/init()
    nonisolated public init() {}
    // https://developer.apple.com/documentation/swiftui/progressview/init(value:total:)
    nonisolated public init<V: BinaryFloatingPoint>(value: V?, total: V = 1.0) {}
}
extension ProgressView where CurrentValueLabel == EmptyView, Label == Text {
    // https://developer.apple.com/documentation/swiftui/progressview/init(_:)
    nonisolated public init<S: StringProtocol>(_ title: S) {}
}

// https://developer.apple.com/documentation/swiftui/labeledcontent
public struct LabeledContent<Label, Content> {}
extension LabeledContent: View where Label: View, Content: View {
    public var body: Never { fatalError("a stub has no body") }
}
extension LabeledContent where Label == Text, Content == Text {
    // https://developer.apple.com/documentation/swiftui/labeledcontent/init(_:value:)
    nonisolated public init<S1: StringProtocol, S2: StringProtocol>(_ title: S1, value: S2) {}
}

// https://developer.apple.com/documentation/swiftui/horizontalalignment
public struct HorizontalAlignment: Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/horizontalalignment/leading
    public static let leading = HorizontalAlignment()
    // https://developer.apple.com/documentation/swiftui/horizontalalignment/center
    public static let center = HorizontalAlignment()
}
// https://developer.apple.com/documentation/swiftui/verticalalignment
public struct VerticalAlignment: Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/verticalalignment/top
    public static let top = VerticalAlignment()
    // https://developer.apple.com/documentation/swiftui/verticalalignment/center
    public static let center = VerticalAlignment()
}
// https://developer.apple.com/documentation/swiftui/alignment
public struct Alignment: Equatable, Sendable {
    // https://developer.apple.com/documentation/swiftui/alignment/center
    public static let center = Alignment()
    // https://developer.apple.com/documentation/swiftui/alignment/top
    public static let top = Alignment()
    // https://developer.apple.com/documentation/swiftui/alignment/leading
    public static let leading = Alignment()
}

// https://developer.apple.com/documentation/swiftui/hstack
public struct HStack<Content: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/hstack/init(alignment:spacing:content:)
    nonisolated public init(
        alignment: VerticalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content
    ) {}
}
// https://developer.apple.com/documentation/swiftui/vstack
public struct VStack<Content: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/vstack/init(alignment:spacing:content:)
    nonisolated public init(
        alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content
    ) {}
}
// https://developer.apple.com/documentation/swiftui/layout
public protocol Layout {}
extension Layout {
    // https://developer.apple.com/documentation/swiftui/layout/callasfunction(_:)
    public func callAsFunction<V: View>(@ViewBuilder _ content: () -> V) -> some View { content() }
}
// https://developer.apple.com/documentation/swiftui/hstacklayout
public struct HStackLayout: Layout {
    // https://developer.apple.com/documentation/swiftui/hstacklayout/init(alignment:spacing:)
    nonisolated public init(alignment: VerticalAlignment = .center, spacing: CGFloat? = nil) {}
}
// https://developer.apple.com/documentation/swiftui/vstacklayout
public struct VStackLayout: Layout {
    // https://developer.apple.com/documentation/swiftui/vstacklayout/init(alignment:spacing:)
    nonisolated public init(alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil) {}
}
// https://developer.apple.com/documentation/swiftui/anylayout
public struct AnyLayout: Layout {
    // https://developer.apple.com/documentation/swiftui/anylayout/init(_:)
    nonisolated public init<L: Layout>(_ layout: L) {}
}
// https://developer.apple.com/documentation/swiftui/spacer
public struct Spacer: StubView {
    // https://developer.apple.com/documentation/swiftui/spacer/init(minlength:)
    nonisolated public init(minLength: CGFloat? = nil) {}
}
// https://developer.apple.com/documentation/swiftui/scrollview
public struct ScrollView<Content: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/scrollview/init(_:content:)
    nonisolated public init(_ axes: Axis.Set = .vertical, @ViewBuilder content: () -> Content) {}
}
// https://developer.apple.com/documentation/swiftui/axis
public enum Axis: Int8, Sendable {
    case vertical
    // https://developer.apple.com/documentation/swiftui/axis/set
    public struct Set: OptionSet, Sendable {
        public let rawValue: Int8
        public init(rawValue: Int8) { self.rawValue = rawValue }
        // https://developer.apple.com/documentation/swiftui/axis/set/horizontal
        public static let horizontal = Set(rawValue: 1)
        // https://developer.apple.com/documentation/swiftui/axis/set/vertical
        public static let vertical = Set(rawValue: 2)
    }
}
// https://developer.apple.com/documentation/swiftui/viewthatfits
public struct ViewThatFits<Content: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/viewthatfits/init(in:content:)
    nonisolated public init(in axes: Axis.Set = [.horizontal, .vertical], @ViewBuilder content: () -> Content) {}
}
// https://developer.apple.com/documentation/swiftui/list
public struct List<SelectionValue: Hashable, Content: View>: StubView {}
extension List where SelectionValue == Never {
    // https://developer.apple.com/documentation/swiftui/list/init(content:)
    nonisolated public init(@ViewBuilder content: () -> Content) {}
}
// https://developer.apple.com/documentation/swiftui/section
public struct Section<Parent, Content, Footer> {}
extension Section: View, StubView where Parent: View, Content: View, Footer: View {}
extension Section where Parent == Text, Content: View, Footer == EmptyView {
    // https://developer.apple.com/documentation/swiftui/section/init(_:content:)
    nonisolated public init<S: StringProtocol>(_ title: S, @ViewBuilder content: () -> Content) {}
}
extension Section where Parent == EmptyView, Content: View, Footer == EmptyView {
    // https://developer.apple.com/documentation/swiftui/section/init(content:)
    nonisolated public init(@ViewBuilder content: () -> Content) {}
}
// https://developer.apple.com/documentation/swiftui/foreach
public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content> {}
extension ForEach: View, StubView where Content: View {}
extension ForEach where ID == Data.Element.ID, Content: View, Data.Element: Identifiable {
    // https://developer.apple.com/documentation/swiftui/foreach/init(_:content:)
    nonisolated public init(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content) {}
}
extension ForEach where Content: View {
    // https://developer.apple.com/documentation/swiftui/foreach/init(_:id:content:)
    nonisolated public init(
        _ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) {}
}
// https://developer.apple.com/documentation/swiftui/navigationpath
public struct NavigationPath: Sendable {}
// https://developer.apple.com/documentation/swiftui/navigationstack
public struct NavigationStack<Data, Root: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/navigationstack/init(root:)
    nonisolated public init(@ViewBuilder root: () -> Root) where Data == NavigationPath {}
}
// https://developer.apple.com/documentation/swiftui/navigationlink
public struct NavigationLink<Label: View, Destination: View>: StubView {}
extension NavigationLink where Label == Text {
    // https://developer.apple.com/documentation/swiftui/navigationlink/init(_:destination:)
    nonisolated public init<S: StringProtocol>(_ title: S, @ViewBuilder destination: () -> Destination) {}
}
// https://developer.apple.com/documentation/swiftui/geometryreader
public struct GeometryReader<Content: View>: StubView {
    // https://developer.apple.com/documentation/swiftui/geometryreader/init(content:)
    nonisolated public init(@ViewBuilder content: @escaping (GeometryProxy) -> Content) {}
}
// https://developer.apple.com/documentation/swiftui/geometryproxy
public struct GeometryProxy: Sendable {
    // https://developer.apple.com/documentation/swiftui/geometryproxy/size
    public var size: CGSize { .zero }
}
