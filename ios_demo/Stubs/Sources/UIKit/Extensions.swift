// What Apple's Foundation has for app extensions and Linux's lacks. Signatures are Apple's, from the pages named.
import Foundation

// https://developer.apple.com/documentation/foundation/nsextensioncontext
open class NSExtensionContext: NSObject {
    // https://developer.apple.com/documentation/foundation/nsextensioncontext/inputitems
    open var inputItems: [Any] { [] }

    // https://developer.apple.com/documentation/foundation/nsextensioncontext/completerequest(returningitems:completionhandler:)
    open func completeRequest(returningItems items: [Any]?, completionHandler: (@Sendable (Bool) -> Void)? = nil) {}
}

// https://developer.apple.com/documentation/foundation/nsextensionitem
open class NSExtensionItem: NSObject {
    // https://developer.apple.com/documentation/foundation/nsextensionitem/attachments
    open var attachments: [NSItemProvider]?
}

// https://developer.apple.com/documentation/foundation/nsitemprovider
open class NSItemProvider: NSObject {
    /// What it provides, and a file of it; the stubs' own.
    public var stubType: String?
    public var stubFile: URL?

    // https://developer.apple.com/documentation/foundation/nsitemprovider/hasitemconformingtotypeidentifier(_:)
    open func hasItemConformingToTypeIdentifier(_ typeIdentifier: String) -> Bool { stubType == typeIdentifier }

    // https://developer.apple.com/documentation/foundation/nsitemprovider/loadfilerepresentation(fortypeidentifier:completionhandler:)
    @discardableResult
    open func loadFileRepresentation(
        forTypeIdentifier typeIdentifier: String, completionHandler: @escaping @Sendable (URL?, (any Error)?) -> Void
    ) -> Progress {
        completionHandler(stubFile, nil)
        return Progress(totalUnitCount: 1)
    }
}

extension FileManager {
    // https://developer.apple.com/documentation/foundation/filemanager/containerurl(forsecurityapplicationgroupidentifier:)
    public func containerURL(forSecurityApplicationGroupIdentifier groupIdentifier: String) -> URL? { nil }
}
