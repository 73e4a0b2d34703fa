import AnyIRCore
import Testing

@Suite struct BenchmarkPlanTests {
    @Test func whatIsNotAskedForIsNoBenchmark() throws {
        #expect(try BenchmarkPlan.parse(arguments: ["app"]) == nil)
        #expect(try BenchmarkPlan.parse(arguments: ["app", "-NSDebug", "YES", "runs=1"]) == nil)
    }

    @Test func theArgumentsOfTheGuideAreTaken() throws {
        let plan = try BenchmarkPlan.parse(
            arguments: [
                "app", "--benchmark", "models=all", "engines=coreml-ane, executorch", "runs=30", "out=run1.json",
            ])
        #expect(plan == BenchmarkPlan(engines: ["coreml-ane", "executorch"], runs: 30, out: "run1.json"))
        let other = try BenchmarkPlan.parse(
            arguments: ["app", "--benchmark", "warmup=0", "sustain_s=60", "models=a", "-AppleLanguages", "(de)"])
        #expect(other == BenchmarkPlan(models: ["a"], warmups: 0, sustainSeconds: 60))
        #expect(try BenchmarkPlan.parse(arguments: ["app", "--benchmark"]) == BenchmarkPlan())
    }

    @Test(arguments: [
        ("runs=0", "runs is 0; 1 to 100000 can be done."),
        ("runs=many", "runs is \"many\", which is no whole number."),
        ("runs=", "runs is \"\", which is no whole number."),
        ("runs=99999999999999999999", "runs is \"99999999999999999999\", which is no whole number."),
        ("warmup=-1", "warmup is -1; 0 to 10000 can be done."),
        ("speed=1", "There is no option \"speed\"; models, engines, runs, warmup, sustain_s, out are."),
        ("runs", "\"runs\" is no option; give KEY=VALUE, such as runs=30."),
        ("models=", "models names nothing; give all, or names with commas between."),
        ("engines=a,,b", "engines names nothing; give all, or names with commas between."),
        ("out=../x.json", "out is \"../x.json\"; a name such as run1.json is due, without a folder."),
        ("out=.json", "out is \".json\"; a name such as run1.json is due, without a folder."),
        ("out=a\n\u{7}b.json", "out is \"a??b.json\"; a name such as run1.json is due, without a folder."),
    ])
    func wrongArgumentsAreNamed(argument: String, sentence: String) {
        #expect(throws: PlanError(sentence)) {
            try BenchmarkPlan.parse(arguments: ["app", "--benchmark", argument])
        }
    }

    @Test func anOptionIsGivenOnce() {
        #expect(throws: PlanError("runs is given twice.")) {
            try BenchmarkPlan.parse(arguments: ["app", "--benchmark", "runs=1", "runs=2"])
        }
    }

    @Test func unknownNamesListThoseThatAreThere() throws {
        let plan = BenchmarkPlan(models: ["b", "x"], engines: ["y"])
        #expect(throws: PlanError("There is no model \"x\" here; there is: a, b.")) {
            try plan.check(models: ["b", "a"], engines: ["y"])
        }
        #expect(throws: PlanError("There is no engine \"y\" here; there is: none.")) {
            try plan.check(models: ["b", "x"], engines: [])
        }
        try BenchmarkPlan().check(models: [], engines: [])
    }
}
