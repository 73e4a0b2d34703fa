@main
struct AnyIRApp {
    static func main() {}
}
