// Signatures are Apple's, from the pages named.
import Foundation
import Synchronization

// https://developer.apple.com/documentation/photos/phauthorizationstatus
public enum PHAuthorizationStatus: Int, Sendable {
    case notDetermined = 0
    case restricted = 1
    case denied = 2
    case authorized = 3
    case limited = 4
}

// https://developer.apple.com/documentation/photos/phaccesslevel
public enum PHAccessLevel: Int, Sendable {
    case addOnly = 1
    case readWrite = 2
}

// https://developer.apple.com/documentation/photos/phphotolibrary
open class PHPhotoLibrary: NSObject, @unchecked Sendable {
    // https://developer.apple.com/documentation/photos/phphotolibrary/shared()
    public class func shared() -> PHPhotoLibrary { PHPhotoLibrary() }

    // https://developer.apple.com/documentation/photos/phphotolibrary/requestauthorization(for:handler:)
    public class func requestAuthorization(for accessLevel: PHAccessLevel) async -> PHAuthorizationStatus {
        StubLibrary.shared.status
    }

    // https://developer.apple.com/documentation/photos/phphotolibrary/performchanges(_:completionhandler:)
    public func performChanges(_ changeBlock: @escaping () -> Void) async throws {
        if let error = StubLibrary.shared.error { throw error }
        changeBlock()
    }
}

// https://developer.apple.com/documentation/photos/phassetcreationrequest
open class PHAssetCreationRequest: NSObject {
    // https://developer.apple.com/documentation/photos/phassetcreationrequest/forasset()
    public class func forAsset() -> Self { unsafeDowncast(PHAssetCreationRequest(), to: Self.self) }

    // https://developer.apple.com/documentation/photos/phassetcreationrequest/addresource(with:fileurl:options:)
    public func addResource(with type: PHAssetResourceType, fileURL: URL, options: PHAssetResourceCreationOptions?) {
        StubLibrary.shared.take(fileURL)
    }
}

// https://developer.apple.com/documentation/photos/phassetresourcetype
public enum PHAssetResourceType: Int, Sendable {
    case photo = 1
}

// https://developer.apple.com/documentation/photos/phassetresourcecreationoptions
open class PHAssetResourceCreationOptions: NSObject {
    // https://developer.apple.com/documentation/photos/phassetresourcecreationoptions/originalfilename
    open var originalFilename: String?
}

/// The library of the tests. Not Apple's.
public final class StubLibrary: Sendable {
    public static let shared = StubLibrary()

    private struct State {
        var status = PHAuthorizationStatus.authorized
        var error: (any Error)?
        var saved: [String: Data] = [:]
    }

    private let state = Mutex(State())

    public var status: PHAuthorizationStatus { state.withLock { $0.status } }
    public var error: (any Error)? { state.withLock { $0.error } }

    /// What was saved, by file name.
    public var saved: [String: Data] { state.withLock { $0.saved } }

    public func set(_ status: PHAuthorizationStatus, error: (any Error)? = nil) {
        state.withLock {
            $0.status = status
            $0.error = error
        }
    }

    func take(_ url: URL) {
        let data = try? Data(contentsOf: url)
        state.withLock { $0.saved[url.lastPathComponent] = data }
    }
}
