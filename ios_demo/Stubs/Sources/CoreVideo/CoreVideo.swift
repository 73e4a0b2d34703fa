// Core Video as far as the app uses it: buffers of one float16 a pixel. Signatures are Apple's, from the pages named.
@_exported import CoreGraphics
import Foundation

// https://developer.apple.com/documentation/corefoundation/cfallocator
public final class CFAllocator {}
// https://developer.apple.com/documentation/kernel/ostype
public typealias OSType = UInt32
// https://developer.apple.com/documentation/corevideo/cvreturn
public typealias CVReturn = Int32
// https://developer.apple.com/documentation/corevideo/cvoptionflags
public typealias CVOptionFlags = UInt64
// https://developer.apple.com/documentation/corevideo/kcvreturnsuccess
public var kCVReturnSuccess: CVReturn { 0 }
// https://developer.apple.com/documentation/corevideo/kcvpixelformattype_onecomponent16half
public var kCVPixelFormatType_OneComponent16Half: OSType { 0x4c30_3068 }
// https://developer.apple.com/documentation/corevideo/kcvpixelbufferiosurfacepropertieskey
public let kCVPixelBufferIOSurfacePropertiesKey: CFString = "IOSurfaceProperties"

// https://developer.apple.com/documentation/corevideo/cvpixelbuffer
public typealias CVPixelBuffer = CVImageBuffer
// https://developer.apple.com/documentation/corevideo/cvimagebuffer
public typealias CVImageBuffer = CVBuffer

// https://developer.apple.com/documentation/corevideo/cvbuffer
public final class CVBuffer {
    /// The stubs' own, as all that follows: rows are padded to 64 bytes, as on an IOSurface.
    let stubMemory: UnsafeMutableRawPointer
    let stubWidth: Int
    let stubHeight: Int
    let stubBytesPerRow: Int
    var stubLocks = 0

    /// What locking it returns; the stubs' own.
    public var stubStatus = kCVReturnSuccess

    init(width: Int, height: Int) {
        stubWidth = width
        stubHeight = height
        stubBytesPerRow = (2 * width + 63) / 64 * 64
        let bytes = stubBytesPerRow * height
        stubMemory = .allocate(byteCount: bytes, alignment: 64)
        // What lies between the rows is nobody's: a reader that takes it is found out.
        stubMemory.initializeMemory(as: UInt8.self, repeating: 0x7e, count: bytes)
    }

    deinit { stubMemory.deallocate() }
}

// https://developer.apple.com/documentation/corevideo/cvpixelbufferlockflags
public struct CVPixelBufferLockFlags: OptionSet, Sendable {
    public let rawValue: CVOptionFlags
    // https://developer.apple.com/documentation/corevideo/cvpixelbufferlockflags/init(rawvalue:)
    public init(rawValue: CVOptionFlags) { self.rawValue = rawValue }
    // https://developer.apple.com/documentation/corevideo/cvpixelbufferlockflags/readonly
    public static var readOnly: CVPixelBufferLockFlags { CVPixelBufferLockFlags(rawValue: 1) }
}

// https://developer.apple.com/documentation/corevideo/cvpixelbuffercreate(_:_:_:_:_:_:)
public func CVPixelBufferCreate(
    _ allocator: CFAllocator?, _ width: Int, _ height: Int, _ pixelFormatType: OSType,
    _ pixelBufferAttributes: CFDictionary?, _ pixelBufferOut: UnsafeMutablePointer<CVPixelBuffer?>
) -> CVReturn {
    guard width > 0, height > 0, pixelFormatType == kCVPixelFormatType_OneComponent16Half,
        pixelBufferAttributes?[kCVPixelBufferIOSurfacePropertiesKey] != nil
    else { return -6661 }
    pixelBufferOut.pointee = CVBuffer(width: width, height: height)
    return kCVReturnSuccess
}

// https://developer.apple.com/documentation/corevideo/cvpixelbufferlockbaseaddress(_:_:)
@discardableResult
public func CVPixelBufferLockBaseAddress(
    _ pixelBuffer: CVPixelBuffer, _ lockFlags: CVPixelBufferLockFlags
) -> CVReturn {
    if pixelBuffer.stubStatus == kCVReturnSuccess { pixelBuffer.stubLocks += 1 }
    return pixelBuffer.stubStatus
}

// https://developer.apple.com/documentation/corevideo/cvpixelbufferunlockbaseaddress(_:_:)
@discardableResult
public func CVPixelBufferUnlockBaseAddress(
    _ pixelBuffer: CVPixelBuffer, _ unlockFlags: CVPixelBufferLockFlags
) -> CVReturn {
    pixelBuffer.stubLocks -= 1
    return kCVReturnSuccess
}

// https://developer.apple.com/documentation/corevideo/cvpixelbuffergetbaseaddress(_:)
public func CVPixelBufferGetBaseAddress(_ pixelBuffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {
    pixelBuffer.stubLocks > 0 ? pixelBuffer.stubMemory : nil
}

// https://developer.apple.com/documentation/corevideo/cvpixelbuffergetbytesperrow(_:)
public func CVPixelBufferGetBytesPerRow(_ pixelBuffer: CVPixelBuffer) -> Int { pixelBuffer.stubBytesPerRow }

extension CVBuffer {
    /// What a runtime that shares the memory sees; the stubs' own.
    public var stub: (memory: UnsafeMutableRawPointer, width: Int, height: Int, bytesPerRow: Int) {
        (stubMemory, stubWidth, stubHeight, stubBytesPerRow)
    }
}
