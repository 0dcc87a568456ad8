package fact

// Schema is the value of "schema" in a JSON document: it names the form of the
// document and its version, and whoever reads one looks at it first.
type Schema string

// SchemaRoot is what all schemas begin with, those of later versions as well.
const SchemaRoot = "https://github.com/mintmark/mintmark/"

// Schemas of what is published or kept.
const (
	ManifestSchema     Schema = SchemaRoot + "release/v1"      // release.json
	PlanSchema         Schema = SchemaRoot + "plan/v1"         // the plan in it
	LedgerSchema       Schema = SchemaRoot + "ledger/v1"       // ledger.json
	MeasurementsSchema Schema = SchemaRoot + "measurements/v1" // measurements.json
	ClaimSchema        Schema = SchemaRoot + "claim/v1"        // a lock file's first line
	ReceiptSchema      Schema = SchemaRoot + "receipt/v1"      // of one execution elsewhere
	WorkerSchema       Schema = SchemaRoot + "worker/v1"       // what a worker is asked, and what it answers
	ParcelSchema       Schema = SchemaRoot + "parcel/v1"       // outcomes on their way
)

// Schemas of what verbs print with -json.
const (
	ReleaseReport   Schema = SchemaRoot + "report/release/v1" // release and build
	CheckReport     Schema = SchemaRoot + "report/check/v1"
	InitReport      Schema = SchemaRoot + "report/init/v1"
	VerifyReport    Schema = SchemaRoot + "report/verify/v1" // verify, attest
	PublishReport   Schema = SchemaRoot + "report/publish/v1"
	ImagesReport    Schema = SchemaRoot + "report/images/v1"
	ErrorReport     Schema = SchemaRoot + "report/error/v1" // any verb that fails
	LedgerReport    Schema = SchemaRoot + "report/ledger/v1"
	CacheReport     Schema = SchemaRoot + "report/cache/v1"
	PageReport      Schema = SchemaRoot + "report/page/v1" // report
	RebuildReport   Schema = SchemaRoot + "report/rebuild/v2"
	RebuildResume   Schema = SchemaRoot + "rebuild/resume/v1"
	RebuildPage     Schema = SchemaRoot + "rebuild/page/v1"  // of one digest: rebuild -pages
	RebuildPages    Schema = SchemaRoot + "rebuild/pages/v1" // their index
	DiffReport      Schema = SchemaRoot + "report/diff/v1"
	InspectReport   Schema = SchemaRoot + "report/inspect/v1"
	WhyReport       Schema = SchemaRoot + "report/why/v1"
	SizeReport      Schema = SchemaRoot + "report/size/v1"
	SizeDeltaReport Schema = SchemaRoot + "report/size-delta/v1" // size of two files
	SavingsReport   Schema = SchemaRoot + "report/savings/v1"    // size -waterfall
	RetainedReport  Schema = SchemaRoot + "report/retained/v1"   // size -retained
	ModulesReport   Schema = SchemaRoot + "report/modules/v1"    // size -modules
	StartupReport   Schema = SchemaRoot + "startup/v1"           // bench
)
