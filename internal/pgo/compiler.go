package pgo

// What the compiler takes from a profile, and how nothing of it is lost.
//
// cmd/internal/pgo.FromPProf counts calls, over the graph that
// internal/profile.NewGraph makes. A node of that graph is the address, the
// function's name and first line, and the line of a frame; not its file. Of each
// sample the two innermost places count (a place, pprof's location, is one
// address with the frames that were inlined there), from the outermost frame to
// the innermost: two frames in a row are a call, unless they are the same node,
// and each call counts once a sample.
//
// So the addresses matter only in that they tell nodes of one sample apart: a
// function that calls itself in a line which was compiled twice is a call where
// the address is the other one, and none where it is the same. Addresses are
// another thing in every build, so of them that alone is kept, as [Frame.Place].

// node is what the compiler takes for the same thing, apart from the address.
// Frames without a function are all the same node.
type node struct {
	function        string
	startLine, line int64
}

func (f Frame) node() node { return node{f.Function, f.StartLine, f.Line} }

// site is a place of a profile: one address and the frames that are there.
type site struct {
	address uint64
	frames  []Frame // the innermost first, all but the last inlined
	nodes   []int32 // of the frames, equal numbers for equal nodes
}

// unwind puts the frames of some places together to a stack, and numbers the
// addresses that the compiler tells apart: from 0, each with the next number
// after those that any of its nodes had before. What has numbers for addresses
// already keeps them.
func unwind(sites []*site) []Frame {
	size := 0
	for _, s := range sites {
		size += len(s.frames)
	}
	frames := make([]Frame, 0, size)
	nodes := map[uint64][]int32{} // of an address: of several sites, where a profile has two at one
	for _, s := range sites {
		frames = append(frames, s.frames...)
		nodes[s.address] = append(nodes[s.address], s.nodes...)
	}
	numbers := map[uint64]int{}
	next := map[int32]int{}
	at := 0
	for _, s := range sites {
		n, ok := numbers[s.address]
		if !ok {
			for _, id := range nodes[s.address] {
				n = max(n, next[id])
			}
			for _, id := range nodes[s.address] {
				next[id] = n + 1
			}
			numbers[s.address] = n
		}
		for range s.frames {
			frames[at].Place = n
			at++
		}
	}
	return frames
}

// calls yields the calls of a stack as the compiler counts them.
func (s Stack) calls(yield func(caller, callee Frame) bool) {
	type pair struct{ caller, callee Frame }
	seen := map[pair]bool{}
	inner := s.counted()
	for i := len(inner) - 2; i >= 0; i-- {
		caller, callee := inner[i+1], inner[i]
		caller.File, caller.Inlined, callee.File, callee.Inlined = "", false, "", false
		if caller == callee || seen[pair{caller, callee}] {
			continue
		}
		seen[pair{caller, callee}] = true
		if !yield(caller, callee) {
			return
		}
	}
}

// counted are the frames of the two innermost places.
func (s Stack) counted() []Frame {
	places := 0
	for i, f := range s.Frames {
		if !f.Inlined {
			places++
		}
		if places == 2 {
			return s.Frames[:i+1]
		}
	}
	return s.Frames
}
