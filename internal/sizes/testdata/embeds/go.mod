module example.com/embeds

go 1.21

require example.org/dep v0.0.0

replace example.org/dep => ./dep
