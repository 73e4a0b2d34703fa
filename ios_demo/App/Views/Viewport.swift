import Foundation

/// Which part of a photo a view shows, and how large: pure arithmetic, as in the Android app.
///
/// A point of the photo (x, y), in photo pixels, is shown at (x * scale + left, y * scale + top) in the view. The photo
/// never leaves the view: where it is smaller it is centred, where it is larger no gap is shown.
struct Viewport: Equatable {
    private(set) var viewWidth = 0.0
    private(set) var viewHeight = 0.0
    private(set) var photoWidth = 0.0
    private(set) var photoHeight = 0.0

    /// Points for one photo pixel.
    private(set) var scale = 1.0
    private(set) var left = 0.0
    private(set) var top = 0.0

    var isEmpty: Bool { viewWidth <= 0 || viewHeight <= 0 || photoWidth <= 0 || photoHeight <= 0 }

    /// The scale at which the whole photo is seen.
    var fitScale: Double { isEmpty ? 1 : min(viewWidth / photoWidth, viewHeight / photoHeight) }

    /// Eight points a photo pixel, or four times the whole photo where that is larger.
    var maxScale: Double { max(8, 4 * fitScale) }

    var isZoomed: Bool { scale > fitScale * 1.01 }

    /// Where the photo lies in the view.
    var frame: CGRect { CGRect(x: left, y: top, width: photoWidth * scale, height: photoHeight * scale) }

    /// The part of the photo's width that is inside the view.
    var visible: ClosedRange<Double> {
        let start = max(0, left)
        return start...max(start, min(viewWidth, left + photoWidth * scale))
    }

    /// Another photo is seen whole; another size of the view keeps zoom and middle.
    mutating func lay(photoWidth: Double, photoHeight: Double, viewWidth: Double, viewHeight: Double) {
        let isSame = self.photoWidth == photoWidth && self.photoHeight == photoHeight && !isEmpty
        let zoom = scale / fitScale
        let centre = isSame ? (x: (self.viewWidth / 2 - left) / scale, y: (self.viewHeight / 2 - top) / scale) : nil
        self.photoWidth = photoWidth
        self.photoHeight = photoHeight
        self.viewWidth = viewWidth
        self.viewHeight = viewHeight
        scale = fitScale
        if let centre, !isEmpty {
            scale = min(max(fitScale * zoom, fitScale), maxScale)
            left = viewWidth / 2 - centre.x * scale
            top = viewHeight / 2 - centre.y * scale
        }
        clamp()
    }

    /// Zooms so that what is at (x, y) in the view stays there.
    mutating func zoom(to wanted: Double, x: Double, y: Double) {
        let wanted = min(max(wanted, fitScale), maxScale)
        left = x - (x - left) * wanted / scale
        top = y - (y - top) * wanted / scale
        scale = wanted
        clamp()
    }

    mutating func pan(x: Double, y: Double) {
        left += x
        top += y
        clamp()
    }

    /// What a double tap zooms to: whole, or a closer look of at least one point a photo pixel.
    var doubleTapScale: Double { isZoomed ? fitScale : min(max(1, 2.5 * fitScale), maxScale) }

    private mutating func clamp() {
        if isEmpty { return }
        left = Self.clamp(left, photoWidth * scale, viewWidth)
        top = Self.clamp(top, photoHeight * scale, viewHeight)
    }

    private static func clamp(_ start: Double, _ length: Double, _ room: Double) -> Double {
        length <= room ? (room - length) / 2 : min(max(start, room - length), 0)
    }
}
