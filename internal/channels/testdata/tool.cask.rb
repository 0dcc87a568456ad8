# Made of the manifest of tool 1.2.3 by mintmark.
cask "tool" do
  version "1.2.3"

  on_macos do
    on_arm do
      sha256 "0c233320973c34a39d365ba142c87feca40afa87bde7dead8c5ea3095aa9f789"
      url "https://github.com/acme/tool/releases/download/v1.2.3/tool_1.2.3_darwin_arm64.tar.gz"
      binary "tool"
    end
    on_intel do
      sha256 "7f5980bad16d351eee32327556598eabca613f633771a17866754d60093ccc3c"
      url "https://github.com/acme/tool/releases/download/v1.2.3/tool_1.2.3_darwin_amd64.tar.gz"
      binary "tool"
    end
  end

  on_linux do
    on_arm do
      sha256 "86e8f7a261326c488c98a6722809e3dd2e04633dadf2183706eea240a47c4710"
      url "https://github.com/acme/tool/releases/download/v1.2.3/tool_1.2.3_linux_arm64.tar.gz"
      binary "tool"
    end
    on_intel do
      sha256 "82157d75b5a1666511a19db9e628796e795c8d4b9539ce015fc904219342bb89"
      url "https://github.com/acme/tool/releases/download/v1.2.3/tool_1.2.3_linux_amd64.tar.gz"
      binary "tool"
    end
  end

  name "tool"
  desc "Greets the world"
  homepage "https://example.com/tool"
end
