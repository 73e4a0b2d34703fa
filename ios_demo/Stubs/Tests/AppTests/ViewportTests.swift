import Foundation
import Testing

@testable import AnyIR

@Suite struct ViewportTests {
    private var viewport: Viewport {
        var viewport = Viewport()
        viewport.lay(photoWidth: 400, photoHeight: 200, viewWidth: 100, viewHeight: 100)
        return viewport
    }

    @Test func aPhotoIsSeenWholeAndInTheMiddle() {
        #expect(viewport.frame == CGRect(x: 0, y: 25, width: 100, height: 50))
        #expect(!viewport.isZoomed)
        #expect(viewport.visible == 0...100)
    }

    @Test func zoomingKeepsWhatIsUnderTheFinger() {
        var viewport = viewport
        viewport.zoom(to: 1, x: 20, y: 50)
        // x 20 showed photo pixel 80.
        #expect(viewport.left == 20 - 80)
        #expect(viewport.frame.height == 200)
        viewport.zoom(to: 1000, x: 20, y: 50)
        #expect(viewport.scale == viewport.maxScale)
        viewport.zoom(to: 0, x: 20, y: 50)
        #expect(viewport.frame == self.viewport.frame)
    }

    @Test func panningLeavesNoGap() {
        var viewport = viewport
        viewport.zoom(to: 1, x: 50, y: 50)
        viewport.pan(x: 1000, y: 1000)
        #expect(viewport.left == 0 && viewport.top == 0)
        viewport.pan(x: -1000, y: -1000)
        #expect(viewport.left == -300 && viewport.top == -100)
    }

    @Test func aDoubleTapZoomsInAndBack() {
        var viewport = viewport
        #expect(viewport.doubleTapScale == 1)
        viewport.zoom(to: viewport.doubleTapScale, x: 50, y: 50)
        #expect(viewport.doubleTapScale == viewport.fitScale)
    }

    @Test func anotherSizeOfTheViewKeepsZoomAndMiddle() {
        var viewport = viewport
        viewport.zoom(to: 1, x: 50, y: 50)
        let middle = (50 - viewport.left) / viewport.scale
        viewport.lay(photoWidth: 400, photoHeight: 200, viewWidth: 200, viewHeight: 50)
        #expect(abs((100 - viewport.left) / viewport.scale - middle) < 1e-9)
        #expect(abs(viewport.scale / viewport.fitScale - 4) < 1e-9)
        viewport.lay(photoWidth: 200, photoHeight: 400, viewWidth: 200, viewHeight: 50)
        #expect(viewport.frame == CGRect(x: 87.5, y: 0, width: 25, height: 50))
    }

    @Test func nothingIsNothing() {
        #expect(Viewport().isEmpty)
        #expect(Viewport().fitScale == 1)
    }
}
