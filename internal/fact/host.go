package fact

// Host is the machine and the system that an execution ran on, as its system says.
type Host struct {
	Name string `json:"name"` // the system's host name
	// Boot names one start of one machine's kernel, so that what has the same ran on
	// one machine, in containers as well. "" where the system does not say.
	Boot   string `json:"boot,omitempty"`
	System string `json:"system"`           // GOOS/GOARCH of the program that built
	Kernel string `json:"kernel,omitempty"` // its release
	// Container says that the system showed the marks of a container. That it shows
	// none proves nothing.
	Container bool `json:"container,omitempty"`
}

// Independence says how far executions of one unit were from each other.
type Independence string

const (
	// TwoMachines: at least two of them ran on machines of other names, and under
	// kernels that were started apart.
	TwoMachines Independence = "two machines"
	// OneMachine: in two places on one machine, which share its kernel, clock and memory.
	OneMachine Independence = "two places on one machine"
	// Unproven: it is not known that they were two executions in two places.
	Unproven Independence = "unproven"
)

// Execution is what is known of where one execution ran.
type Execution struct {
	Host Host
	// Here says that this program ran it by itself; otherwise a receipt says where.
	Here bool
	// Nonce is that of the receipt: no other execution was given the same. "" for an
	// execution that ran here.
	Nonce string
}

// Independent says what executions of one unit were to each other; "" for fewer
// than two, of which there is nothing to say.
//
// Two that ran here are two by themselves. Two of which one ran elsewhere are two
// only with nonces of their own, since an engine may run equal work once and give
// its result twice.
func Independent(list []Execution) Independence {
	if len(list) < 2 {
		return ""
	}
	nonces := map[string]bool{}
	machines, unknown := false, false
	for i, e := range list {
		if !e.Here {
			if e.Nonce == "" || nonces[e.Nonce] {
				return Unproven
			}
			nonces[e.Nonce] = true
		}
		for _, other := range list[:i] {
			switch {
			case e.Here && other.Here:
			case e.Host.Boot == "" || other.Host.Boot == "":
				unknown = true
			case e.Host.Boot != other.Host.Boot && e.Host.Name != other.Host.Name:
				machines = true
			}
		}
	}
	switch {
	case machines:
		return TwoMachines
	case unknown:
		return Unproven
	}
	return OneMachine
}
