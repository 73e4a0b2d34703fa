import Foundation

// https://developer.apple.com/documentation/swiftui/gesture
@MainActor @preconcurrency
public protocol Gesture<Value> {
    associatedtype Value
}
extension Gesture {
    // https://developer.apple.com/documentation/swiftui/gesture/onended(_:)
    nonisolated public func onEnded(_ action: @escaping (Self.Value) -> Void) -> _EndedGesture<Self> { _EndedGesture() }
    // https://developer.apple.com/documentation/swiftui/gesture/updating(_:body:)
    nonisolated public func updating<State>(
        _ state: GestureState<State>, body: @escaping (Self.Value, inout State, inout Transaction) -> Void
    ) -> GestureStateGesture<Self, State> { GestureStateGesture() }
    // https://developer.apple.com/documentation/swiftui/gesture/sequenced(before:)
    nonisolated public func sequenced<Other: Gesture>(before other: Other) -> SequenceGesture<Self, Other> {
        SequenceGesture()
    }
}
extension Gesture where Self.Value: Equatable {
    // https://developer.apple.com/documentation/swiftui/gesture/onchanged(_:)
    nonisolated public func onChanged(_ action: @escaping (Self.Value) -> Void) -> _ChangedGesture<Self> {
        _ChangedGesture()
    }
}
// https://developer.apple.com/documentation/swiftui/_endedgesture
public struct _EndedGesture<Content: Gesture>: Gesture {
    public typealias Value = Content.Value
    nonisolated init() {}
}
// https://developer.apple.com/documentation/swiftui/_changedgesture
public struct _ChangedGesture<Content: Gesture>: Gesture where Content.Value: Equatable {
    public typealias Value = Content.Value
    nonisolated init() {}
}
// https://developer.apple.com/documentation/swiftui/gesturestategesture
public struct GestureStateGesture<Base: Gesture, State>: Gesture {
    public typealias Value = Base.Value
    nonisolated init() {}
}
// https://developer.apple.com/documentation/swiftui/transaction
public struct Transaction {}
// https://developer.apple.com/documentation/swiftui/gesturestate
@propertyWrapper
public struct GestureState<Value> {
    private let value: Value
    // https://developer.apple.com/documentation/swiftui/gesturestate/init(wrappedvalue:)
    public init(wrappedValue: Value) { value = wrappedValue }
    // https://developer.apple.com/documentation/swiftui/gesturestate/wrappedvalue
    public var wrappedValue: Value { value }
    // https://developer.apple.com/documentation/swiftui/gesturestate/projectedvalue
    public var projectedValue: GestureState<Value> { self }
}
// https://developer.apple.com/documentation/swiftui/gesturemask
public struct GestureMask: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    // https://developer.apple.com/documentation/swiftui/gesturemask/all
    public static let all = GestureMask(rawValue: 3)
}
// https://developer.apple.com/documentation/swiftui/coordinatespaceprotocol
public protocol CoordinateSpaceProtocol {}
// https://developer.apple.com/documentation/swiftui/localcoordinatespace
public struct LocalCoordinateSpace: CoordinateSpaceProtocol {
    public init() {}
}
extension CoordinateSpaceProtocol where Self == LocalCoordinateSpace {
    // https://developer.apple.com/documentation/swiftui/coordinatespaceprotocol/local
    public static var local: LocalCoordinateSpace { LocalCoordinateSpace() }
}
// https://developer.apple.com/documentation/swiftui/draggesture
public struct DragGesture: Gesture {
    // https://developer.apple.com/documentation/swiftui/draggesture/init(minimumdistance:coordinatespace:)
    nonisolated public init(
        minimumDistance: CGFloat = 10, coordinateSpace: some CoordinateSpaceProtocol = .local
    ) {}
    // https://developer.apple.com/documentation/swiftui/draggesture/value
    public struct Value: Equatable, Sendable {
        // https://developer.apple.com/documentation/swiftui/draggesture/value/location
        public var location: CGPoint
        // https://developer.apple.com/documentation/swiftui/draggesture/value/startlocation
        public var startLocation: CGPoint
        // https://developer.apple.com/documentation/swiftui/draggesture/value/translation
        public var translation: CGSize { .zero }
    }
}
// https://developer.apple.com/documentation/swiftui/magnifygesture
public struct MagnifyGesture: Gesture {
    // https://developer.apple.com/documentation/swiftui/magnifygesture/init(minimumscaledelta:)
    nonisolated public init(minimumScaleDelta: CGFloat = 0.01) {}
    // https://developer.apple.com/documentation/swiftui/magnifygesture/value
    public struct Value: Equatable, Sendable {
        // https://developer.apple.com/documentation/swiftui/magnifygesture/value/magnification
        public var magnification: CGFloat
        // https://developer.apple.com/documentation/swiftui/magnifygesture/value/startlocation
        public var startLocation: CGPoint
    }
}
// https://developer.apple.com/documentation/swiftui/spatialtapgesture
public struct SpatialTapGesture: Gesture {
    // https://developer.apple.com/documentation/swiftui/spatialtapgesture/init(count:coordinatespace:)
    nonisolated public init(count: Int = 1, coordinateSpace: some CoordinateSpaceProtocol = .local) {}
    // https://developer.apple.com/documentation/swiftui/spatialtapgesture/value
    public struct Value: Equatable, Sendable {
        // https://developer.apple.com/documentation/swiftui/spatialtapgesture/value/location
        public var location: CGPoint
    }
}
// https://developer.apple.com/documentation/swiftui/longpressgesture
public struct LongPressGesture: Gesture {
    public typealias Value = Bool
    // https://developer.apple.com/documentation/swiftui/longpressgesture/init(minimumduration:maximumdistance:)
    nonisolated public init(minimumDuration: Double = 0.5, maximumDistance: CGFloat = 10) {}
}
// https://developer.apple.com/documentation/swiftui/sequencegesture
public struct SequenceGesture<First: Gesture, Second: Gesture>: Gesture {
    nonisolated init() {}
    // https://developer.apple.com/documentation/swiftui/sequencegesture/value
    public enum Value {
        case first(First.Value)
        case second(First.Value, Second.Value?)
    }
}
