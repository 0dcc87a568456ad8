package fact

import "encoding/json"

// Check is a question about a release. What was checked of it and what was not
// are answers to these, never sentences: whoever has more to go by answers a
// question again, and nobody looks for words of somebody else's.
type Check string

const (
	Signature       Check = "signature"         // of the file: is it by the signer that is believed? What was found is a [SignerID].Text
	TransparencyLog Check = "transparency-log"  // of the bundle
	SigningTime     Check = "signing-time"      // of the bundle
	ManifestForm    Check = "manifest"          // does it follow its rules, and is it the plan's?
	Identity        Check = "identity"          // project, module, version or commit: is it the expected one?
	VersionTag      Check = "version-tag"       // the tag that the version is of: does the commit carry it?
	Record          Check = "record"            // is the record that of the manifest?
	Digest          Check = "digest"            // of the listed file
	OtherFiles      Check = "files"             // of the release, where only the manifest is looked at
	Content         Check = "content"           // of the listed file that the manifest does not describe
	Members         Check = "members"           // of the archive: are they those of the manifest?
	Packaged        Check = "packaged"          // of the package that holds programs: are they those of the manifest?
	Slices          Check = "slices"            // of the universal binary: are they the programs of the manifest?
	InImage         Check = "image"             // of the container image: are its programs and files those of the manifest?
	ImageBase       Check = "image-base"        // of the container image: what is in the layers of its base?
	BuildRecord     Check = "build-record"      // is it known how the release was built?
	Attestation     Check = "attestation"       // of the file with a statement of another tool: by whom is it?
	Unlisted        Check = "unlisted"          // what lies beside the files of another tool's release
	Executed        Check = "executed"          // is what the ledger says so?
	PublisherBuilds Check = "publisher-rebuild" // of the artifact: did the publisher's builds agree?
	Machines        Check = "machines"          // of the unit: was it built on two machines, where that is demanded?
	FromSource      Check = "from-source"       // do the unit's binaries come from the source?
	GeneratedAgain  Check = "generated"         // of the generated file: is it what the commands make?
	FromCommit      Check = "from-commit"       // is the source archive made of the commit?
	ImageAgain      Check = "image-again"       // is the container image, made again, the same?
	BillAgain       Check = "sbom"              // is the bill of materials, written again of what was built, the same?
	Rebuilt         Check = "rebuilt"           // is the artifact, built again, the same?
	NotBuilt        Check = "not-built"         // the file is no build product
	ToolchainSum    Check = "toolchain"         // is its hash the recorded one, and the checksum database's?
	SourceSum       Check = "source"            // is its h1 the recorded one?
	SourceSumDB     Check = "source-sumdb"      // did others get the same?
	SourceCommit    Check = "source-commit"     // is the commit that source?
	BuiltHere       Check = "built-twice"       // here, in several places, and how the builds came about
	Beside          Check = "statements-beside" // the rebuild statement: whose is it?
	Counted         Check = "statement"         // the rebuild statement: does it count?
	PublishedFiles  Check = "published"         // of the place: has it published these files, and no others?
	Quorum          Check = "quorum"            // was the published artifact rebuilt by enough others?
)

// Answer is what became of a check of one subject.
type Answer struct {
	Check   Check  `json:"check"`
	Subject string `json:"subject,omitempty"` // a file, an artifact, a unit, or what else the check is about
	Checked bool   `json:"checked"`
	// Detail is what was found when it was checked (a key, a version), and else
	// why it was not.
	Detail string `json:"detail,omitempty"`
}

// Checks are the answers of one verification. The zero value has none.
type Checks struct {
	list []Answer
	at   map[subject]int
}

type subject struct {
	check Check
	name  string
}

// Open says that something is to be checked and was not yet, and why. It takes
// back an answer that there was.
func (c *Checks) Open(check Check, name, why string) { c.put(Answer{check, name, false, why}) }

// Done says that something was checked and holds, and what was found.
func (c *Checks) Done(check Check, name, found string) { c.put(Answer{check, name, true, found}) }

func (c *Checks) put(a Answer) {
	key := subject{a.Check, a.Subject}
	if i, ok := c.at[key]; ok {
		c.list[i] = a
		return
	}
	if c.at == nil {
		c.at = map[subject]int{}
	}
	c.at[key] = len(c.list)
	c.list = append(c.list, a)
}

// Answers are all, in the order in which they were first asked.
func (c *Checks) Answers() []Answer { return append([]Answer{}, c.list...) }

// Of counts the subjects of a check, and those of them that were checked.
func (c *Checks) Of(check Check) (checked, all int) {
	for _, a := range c.list {
		if a.Check != check {
			continue
		}
		all++
		if a.Checked {
			checked++
		}
	}
	return checked, all
}

// Asked reports whether a check of that subject was to be made.
func (c *Checks) Asked(check Check, name string) bool {
	_, ok := c.at[subject{check, name}]
	return ok
}

// All reports whether a check was to be made and was made of all its subjects.
// What nobody asked is not checked.
func (c *Checks) All(check Check) bool {
	checked, all := c.Of(check)
	return all > 0 && checked == all
}

// MarshalJSON writes the answers.
func (c *Checks) MarshalJSON() ([]byte, error) { return json.Marshal(c.Answers()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Checks) UnmarshalJSON(data []byte) error {
	var list []Answer
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*c = Checks{}
	for _, a := range list {
		c.put(a)
	}
	return nil
}
