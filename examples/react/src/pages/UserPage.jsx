// The page that a user's name links to: the courses that the user created.
import {useParams} from 'react-router';
import {UserCreatedCoursesWidget} from '@selfcommunity/react-ui';

export default function UserPage() {
  const {id} = useParams();
  return <UserCreatedCoursesWidget key={id} userId={Number(id)} />;
}
