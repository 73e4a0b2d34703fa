import SwiftUI

/// The photo left of a divider as it was, right of it restored. Pinch, double tap and drag move both in step; pressing and
/// holding shows the photo as it was. VoiceOver finds one adjustable slider.
struct CompareView: View {
    let images: PhotoImages
    let name: String
    let strength: Double

    @State private var viewport = Viewport()
    @State private var divider = 0.5
    @State private var showsOriginal = false
    @State private var drag: Drag?
    @State private var pinchScale: Double?
    @GestureState private var isHeld = false

    private enum Drag {
        case divider
        case photo(last: CGSize)
    }

    /// Points around the divider in which a drag takes it.
    private static let reach = 28.0
    private static let step = 0.1
    private static let zoomStep = 2.0

    private var hasBoth: Bool { images.after != nil }
    private var isOriginal: Bool { showsOriginal || isHeld }

    var body: some View {
        GeometryReader { geometry in
            Canvas { context, size in draw(&context, size) }
                .contentShape(Rectangle())
                .gesture(dragging)
                .simultaneousGesture(pinching)
                .simultaneousGesture(doubleTap)
                .simultaneousGesture(holding)
                .onChange(of: geometry.size, initial: true) { _, size in lay(size) }
                .onChange(of: images.before.width) { _, _ in lay(geometry.size) }
        }
        .background(Color("Surround"))
        .clipped()
        .overlay(alignment: .top) { if hasBoth { labels } }
        .accessibilityElement()
        .accessibilityLabel(hasBoth ? Words.compareDescription(name) : name)
        .accessibilityValue(value)
        .accessibilityAdjustableAction { direction in
            switch direction {
            case .increment: move(to: divider - Self.step)
            case .decrement: move(to: divider + Self.step)
            @unknown default: break
            }
        }
        .accessibilityAction(named: isOriginal ? Words.showRestored : Words.showOriginal) { showsOriginal.toggle() }
        .accessibilityAction(named: Words.zoomIn) { zoom(by: Self.zoomStep) }
        .accessibilityAction(named: Words.zoomOut) { zoom(by: 1 / Self.zoomStep) }
    }

    private var value: String {
        if !hasBoth { return "" }
        return isOriginal ? Words.compareOriginal : Words.compareState(Words.percent(1 - divider))
    }

    private var labels: some View {
        HStack {
            label(Words.before)
            Spacer()
            if !isOriginal { label(Words.after) }
        }
        .padding(8)
        .accessibilityHidden(true)
    }

    private func label(_ text: String) -> some View {
        Text(text)
            .font(.caption)
            .padding(.horizontal, 8)
            .padding(.vertical, 4)
            .background(.black.opacity(0.7), in: Capsule())
            .foregroundStyle(.white)
    }

    private func draw(_ context: inout GraphicsContext, _ size: CGSize) {
        let frame = viewport.frame
        context.draw(Image(decorative: images.before, scale: 1), in: frame)
        guard let after = images.after, !isOriginal else { return }
        let x = place(of: divider)
        context.drawLayer { layer in
            layer.clip(to: Path(CGRect(x: x, y: 0, width: max(0, size.width - x), height: size.height)))
            layer.opacity = strength
            layer.draw(Image(decorative: after, scale: 1), in: frame)
        }
        context.fill(Path(CGRect(x: x - 1, y: 0, width: 2, height: size.height)), with: .color(.white))
        let grip = CGRect(x: x - 14, y: size.height / 2 - 14, width: 28, height: 28)
        context.fill(Path(ellipseIn: grip), with: .color(.white))
    }

    private var dragging: some Gesture {
        DragGesture(minimumDistance: 4)
            .onChanged { value in
                switch drag {
                case nil: begin(value)
                case .divider: move(to: share(at: value.location.x))
                case .photo(let last):
                    viewport.pan(x: value.translation.width - last.width, y: value.translation.height - last.height)
                    drag = .photo(last: value.translation)
                }
            }
            .onEnded { _ in drag = nil }
    }

    /// Where nothing can be panned, a drag anywhere takes the divider.
    private func begin(_ value: DragGesture.Value) {
        let isNear = abs(value.startLocation.x - place(of: divider)) <= Self.reach
        drag = hasBoth && (isNear || !viewport.isZoomed) ? .divider : .photo(last: value.translation)
    }

    private var pinching: some Gesture {
        MagnifyGesture()
            .onChanged { value in
                let start = pinchScale ?? viewport.scale
                pinchScale = start
                viewport.zoom(
                    to: start * value.magnification, x: value.startLocation.x, y: value.startLocation.y)
            }
            .onEnded { _ in pinchScale = nil }
    }

    private var doubleTap: some Gesture {
        SpatialTapGesture(count: 2).onEnded { value in
            viewport.zoom(to: viewport.doubleTapScale, x: value.location.x, y: value.location.y)
        }
    }

    private var holding: some Gesture {
        LongPressGesture(minimumDuration: 0.3)
            .sequenced(before: DragGesture(minimumDistance: 0))
            .updating($isHeld) { value, isHeld, _ in
                if case .second(true, _) = value { isHeld = true }
            }
    }

    private func lay(_ size: CGSize) {
        viewport.lay(
            photoWidth: Double(images.before.width), photoHeight: Double(images.before.height),
            viewWidth: size.width, viewHeight: size.height)
    }

    private func zoom(by factor: Double) {
        viewport.zoom(to: viewport.scale * factor, x: viewport.viewWidth / 2, y: viewport.viewHeight / 2)
    }

    private func move(to share: Double) { divider = min(max(share, 0), 1) }

    private func place(of share: Double) -> Double {
        viewport.visible.lowerBound + share * (viewport.visible.upperBound - viewport.visible.lowerBound)
    }

    private func share(at x: Double) -> Double {
        let width = viewport.visible.upperBound - viewport.visible.lowerBound
        return width > 0 ? (x - viewport.visible.lowerBound) / width : 0.5
    }
}
