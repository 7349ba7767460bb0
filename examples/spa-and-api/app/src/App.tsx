import { NotesPage } from "./NotesPage";
import { Problem } from "./Problem";
import { SignInPage } from "./SignInPage";
import { useSession } from "./session";

export function App() {
  const { user, refreshes, problem } = useSession();
  return (
    <main>
      <Problem id="problem" text={problem} />
      {user ? <NotesPage user={user} refreshes={refreshes} /> : <SignInPage />}
    </main>
  );
}
