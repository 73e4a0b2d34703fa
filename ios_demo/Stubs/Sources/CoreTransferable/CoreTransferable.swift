// Signatures are Apple's, from the pages named.
import Foundation
import UniformTypeIdentifiers

// https://developer.apple.com/documentation/coretransferable/transferable
public protocol Transferable {
    associatedtype Representation: TransferRepresentation
    // https://developer.apple.com/documentation/coretransferable/transferable/transferrepresentation
    @TransferRepresentationBuilder<Self> static var transferRepresentation: Representation { get }
}

// https://developer.apple.com/documentation/coretransferable/transferrepresentation
public protocol TransferRepresentation: Sendable {
    associatedtype Item: Transferable
}

// https://developer.apple.com/documentation/coretransferable/transferrepresentationbuilder
@resultBuilder
public struct TransferRepresentationBuilder<Item: Transferable> {
    // https://developer.apple.com/documentation/coretransferable/transferrepresentationbuilder/buildblock(_:)
    public static func buildBlock<Content: TransferRepresentation>(_ content: Content) -> Content
    where Item == Content.Item { content }
}

// https://developer.apple.com/documentation/coretransferable/receivedtransferredfile
public struct ReceivedTransferredFile: Sendable {
    // https://developer.apple.com/documentation/coretransferable/receivedtransferredfile/file
    public let file: URL
    // https://developer.apple.com/documentation/coretransferable/receivedtransferredfile/isoriginalfile
    public let isOriginalFile: Bool

    /// The stubs' own.
    public init(stub: URL) {
        file = stub
        isOriginalFile = false
    }
}

// https://developer.apple.com/documentation/coretransferable/filerepresentation
public struct FileRepresentation<Item: Transferable>: TransferRepresentation {
    /// The stubs' own.
    public let stubImporting: @Sendable (ReceivedTransferredFile) async throws -> Item

    // https://developer.apple.com/documentation/coretransferable/filerepresentation/init(importedcontenttype:shouldattempttoopeninplace:importing:)
    public init(
        importedContentType: UTType, shouldAttemptToOpenInPlace: Bool = false,
        importing: @escaping @Sendable (ReceivedTransferredFile) async throws -> Item
    ) {
        stubImporting = importing
    }
}

// https://developer.apple.com/documentation/foundation/url (which is Transferable, as its page says)
extension URL: Transferable {
    public static var transferRepresentation: some TransferRepresentation {
        FileRepresentation(importedContentType: .image) { $0.file }
    }
}
